import { create, fromBinary } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { createHash } from 'node:crypto'
import { appendFile, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '@mcpg/core/clock'
import { AuditEventSchema, AuditKind, AuditOutcome } from '@mcpg/proto/gen/delivery'
import { until } from '../../test/until.ts'
import { auditQueue, defaultLimits, type AuditQueue, type Batch } from './queue.ts'
import { linked } from './segment.ts'
import { bytesOf, type Witnessed } from './witnessed.ts'

let folder: string
let queues: AuditQueue[]
const warnings: unknown[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mcpg-audit-'))
  queues = []
  warnings.length = 0
})
afterEach(async () => {
  for (const queue of queues) await queue.part.stop()
  await rm(folder, { recursive: true, force: true })
})

async function started(limits = defaultLimits): Promise<AuditQueue> {
  const queue = auditQueue({ folder, clock: systemClock, log: { warn: (about: unknown) => void warnings.push(about) } as never, limits })
  await queue.part.start(() => {})
  queues.push(queue)
  return queue
}

const seen = (target: string, more: Partial<Witnessed> = {}): Witnessed => ({
  atMs: 1_000,
  kind: AuditKind.TOOL_CALL,
  level: 'full',
  requestId: 'req_1',
  sessionId: '',
  subject: '',
  tokenId: '',
  client: 'inspector',
  project: '',
  server: 'files',
  target,
  instance: 'files-0a1b2c3d4e',
  outcome: AuditOutcome.OK,
  reason: '',
  durationMs: 1,
  requestBytes: 10,
  resultBytes: 20,
  args: { b: 1, a: 2 },
  traceparent: '',
  ...more,
})
const fill = (queue: AuditQueue, from: number, to: number) => {
  for (let one = from; one <= to; one++) queue.record(seen(`tool-${one}`))
}
const batchOf = (queue: AuditQueue, most = 500): Promise<Batch> => until('a batch', async () => (await queue.take(most)) ?? undefined)
const waiting = (queue: AuditQueue, count: number) => until(`${count} wait`, () => queue.figures().waiting === count)
const namesIn = ({ events }: Batch) => events.map((event) => fromBinary(AuditEventSchema, event).target)
const endOf = ({ before, events }: Batch) => events.reduce<Uint8Array>(linked, before)

async function drain(queue: AuditQueue): Promise<Batch[]> {
  const batches: Batch[] = []
  for (;;) {
    const batch = await queue.take(500)
    if (!batch) return batches
    batches.push(batch)
    await queue.acknowledge(batch.first + batch.events.length - 1)
  }
}

describe('the audit queue', () => {
  it('numbers events from 1 and links each to the one before, over batches and restarts', async () => {
    const first = await started()
    fill(first, 1, 5)
    await waiting(first, 5)
    await first.part.stop()
    const again = await started()
    fill(again, 6, 8)
    await waiting(again, 8)
    await again.part.stop()
    const last = await started()
    const one = await batchOf(last, 3)
    expect([one.first, namesIn(one), Buffer.from(one.before)]).toEqual([1, ['tool-1', 'tool-2', 'tool-3'], Buffer.alloc(32)])
    await last.acknowledge(3)
    const [rest, tail] = await drain(last)
    expect([rest!.first, Buffer.from(rest!.before)]).toEqual([4, Buffer.from(endOf(one))])
    expect([...namesIn(rest!), ...(tail ? namesIn(tail) : [])]).toEqual(['tool-4', 'tool-5', 'tool-6', 'tool-7', 'tool-8'])
    if (tail) expect(Buffer.from(tail.before)).toEqual(Buffer.from(endOf(rest!)))
  })

  it('gives the same batch until it is acknowledged, and goes on where the control plane says', async () => {
    const queue = await started()
    fill(queue, 1, 4)
    await waiting(queue, 4)
    const once = await batchOf(queue)
    expect(await queue.take(500)).toEqual(once)
    await queue.acknowledge(2)
    expect(namesIn(await batchOf(queue))).toEqual(['tool-3', 'tool-4'])
    await queue.acknowledge(4)
    expect(await queue.take(500)).toBe(null)
  })

  it('cuts off what a crash left half written, and numbers go on from there', async () => {
    const queue = await started()
    fill(queue, 1, 3)
    await queue.part.stop()
    const [file] = await readdir(folder)
    await appendFile(join(folder, file!), Buffer.from([0, 0, 0, 90, 1, 2, 3]))
    const again = await started()
    fill(again, 4, 4)
    await again.part.stop()
    expect((await drain(again)).flatMap(namesIn)).toEqual(['tool-1', 'tool-2', 'tool-3', 'tool-4'])
  })

  it('drops the oldest when the disk is full, counts them, and leaves a hole in the numbers', async () => {
    const queue = await started({ ...defaultLimits, segmentBytes: 2_000, diskBytes: 10_000 })
    for (let round = 0; round < 20; round++) {
      const written = new Promise<void>((resolve) => void queue.onWritten(resolve))
      fill(queue, round * 20 + 1, round * 20 + 20)
      await written
    }
    await queue.part.stop()
    const again = await started()
    const batches = await drain(again)
    const { dropped } = again.figures()
    expect(dropped).toBeGreaterThan(100)
    expect(batches[0]!.first).toBe(dropped + 1)
    expect(batches[0]!.dropped).toBe(dropped)
    expect(batches.reduce((sum, { events }) => sum + events.length, 0)).toBe(400 - dropped)
  })

  it('keeps the newest when more comes than can be numbered, and loses no count', async () => {
    const queue = await started({ ...defaultLimits, waiting: 50 })
    fill(queue, 1, 200)
    await waiting(queue, 200)
    await queue.part.stop()
    const batches = await drain(await started())
    const numbers = batches.flatMap(({ first, events }) => events.map((_, index) => first + index))
    expect(batches.at(-1)!.dropped).toBe(200 - numbers.length)
    expect(numbers.at(-1)).toBe(200)
    expect(batches.flatMap(namesIn).at(-1)).toBe('tool-200')
  })

  it('never gives a number twice where the control plane knows more than a copied state dir', async () => {
    const queue = await started()
    fill(queue, 1, 2)
    await waiting(queue, 2)
    await queue.acknowledge(40)
    expect(warnings).toEqual([{ through: 40, next: 3 }])
    fill(queue, 3, 3)
    expect((await batchOf(queue)).first).toBe(41)
  })

  it('holds up nobody: ten thousand events are remembered in a few milliseconds', async () => {
    const queue = await started()
    const event = seen('tool')
    const before = performance.now()
    for (let one = 0; one < 10_000; one++) queue.record(event)
    expect(performance.now() - before).toBeLessThan(100)
  })
})

describe('an event', () => {
  it('is written as the protocol has it, every field', () => {
    const hash = createHash('sha256').update('{"a":2,"b":1}').digest()
    const more = {
      subject: 'ada',
      tokenId: 'tok_1',
      project: 'web',
      reason: 'ToolError',
      traceparent: '00-ab',
      sessionId: 's',
      durationMs: 61_002.4,
    }
    const expected = create(AuditEventSchema, {
      time: timestampFromMs(1_764_404_405_678),
      kind: AuditKind.TOOL_CALL,
      correlationId: 'req_1',
      sessionId: createHash('sha256').update('s').digest('hex').slice(0, 32),
      subject: 'ada',
      tokenId: 'tok_1',
      verified: true,
      clientName: 'inspector',
      project: 'web',
      server: 'files',
      target: 'read',
      instanceId: 'files-0a1b2c3d4e',
      outcome: AuditOutcome.TOOL_ERROR,
      reason: 'ToolError',
      duration: durationFromMs(61_002),
      requestBytes: 10n,
      resultBytes: 20n,
      argumentsHash: new Uint8Array(hash),
      traceparent: '00-ab',
    })
    expect(decoded({ ...more, atMs: 1_764_404_405_678, outcome: AuditOutcome.TOOL_ERROR })).toEqual(expected)
  })

  it('is read by everybody: long names, other alphabets, half a character, big numbers', () => {
    const secret = { name: 'n'.repeat(120), key: 'schlüssel-鍵'.repeat(20), version: 2 ** 40 }
    const target = `${'ü'.repeat(41)}\ud800`
    const event = decoded({
      target,
      client: '鍵'.repeat(200),
      atMs: 8_640_000_000_000_000,
      more: { secrets: [secret, { ...secret, name: 'a' }] },
    })
    expect(event).toMatchObject({ target: `${'ü'.repeat(41)}\ufffd`, clientName: '鍵'.repeat(200), time: { seconds: 8_640_000_000_000n } })
    expect(event.secrets.map(({ name, key, version }) => [name, key, version])).toEqual([
      [secret.name, secret.key, BigInt(secret.version)],
      ['a', secret.key, BigInt(secret.version)],
    ])
  })

  it('of more than a quarter of a megabyte is refused', () => {
    const secrets = Array.from({ length: 2_000 }, () => ({ name: 'n'.repeat(60), key: 'k'.repeat(100), version: 1 }))
    expect(() => bytesOf(seen('read', { more: { secrets } }))).toThrow(RangeError)
  })

  it('that cannot be made is a hole, and ends nothing', async () => {
    const queue = await started()
    queue.record(seen('a'))
    queue.record(seen('broken', { durationMs: Number.NaN }))
    queue.record(seen('b', { durationMs: 1.234 }))
    await waiting(queue, 3)
    expect(warnings).toHaveLength(1)
    await queue.part.stop()
    const batches = await drain(await started())
    expect(batches.map((batch) => [batch.first, namesIn(batch)])).toEqual([
      [1, ['a']],
      [3, ['b']],
    ])
  })

  const decoded = (more: Partial<Witnessed>) => fromBinary(AuditEventSchema, bytesOf(seen('read', more)))

  it('tells what the gateway has checked from what a client claims', () => {
    expect(decoded({ subject: 'ada@example.com' })).toMatchObject({ subject: 'ada@example.com', verified: true, clientName: 'inspector' })
    expect(decoded({})).toMatchObject({ subject: '', verified: false, clientName: 'inspector' })
  })

  it('has hashes for names at hash-only, and the same hash for the same arguments in any order', () => {
    const hashed = decoded({ level: 'hash-only', subject: 'ada@example.com' })
    expect([hashed.target, hashed.subject, hashed.clientName].every((name) => /^sha256:[0-9a-f]{64}$/.test(name))).toBe(true)
    expect(hashed.server).toBe('files')
    expect(decoded({ level: 'hash-only', more: { impersonator: 'ada' } }).impersonator).toMatch(/^sha256:/)
    expect(hashed.argumentsHash).toEqual(decoded({ args: { a: 2, b: 1 } }).argumentsHash)
    expect(hashed.argumentsHash).not.toEqual(decoded({ args: { a: 2, b: 2 } }).argumentsHash)
  })

  it('says of arguments that were not hashed that there were some', () => {
    const unhashed = ({ argumentsHash, argumentsUnhashed }: ReturnType<typeof decoded>) => [argumentsHash.length, argumentsUnhashed]
    expect(unhashed(decoded({}))).toEqual([32, false])
    expect(unhashed(decoded({ requestBytes: 64 * 1024 + 1 }))).toEqual([0, true])
    expect(unhashed(decoded({ args: undefined, requestBytes: 64 * 1024 + 1 }))).toEqual([0, false])
  })

  it('holds neither arguments nor the key of a session', () => {
    const bytes = Buffer.from(bytesOf(seen('read', { args: { password: 'planted-secret' }, sessionId: 'planted-session' }))).toString(
      'latin1',
    )
    expect(bytes).not.toContain('planted')
    expect(decoded({ sessionId: 'planted-session' }).sessionId).toMatch(/^[0-9a-f]{32}$/)
  })
})
