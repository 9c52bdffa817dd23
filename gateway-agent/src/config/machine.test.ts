import { afterEach, describe, expect, it } from 'vitest'
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@mcpg/core/clock'
import { createLog } from '@mcpg/core/log'
import type { ConfigOffer } from '@mcpg/proto/gen/gateway'
import { fakeServers } from '../../test/fake-servers.ts'
import { secretsOver } from '../../test/secret-source.ts'
import { configSigner, sha256Hex, type OfferOptions } from '../../test/signed-config.ts'
import { until } from '../../test/until.ts'
import { policyOf, PolicyFile } from '../policy/policy.ts'
import { configMachine, type ConfigReport } from './machine.ts'
import { openSlots } from './slots.ts'

const log = createLog({ level: 'silent', json: true })
const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const server = (name: string, more: object = {}) => ({ name, command: ['run', name], ...more })

async function folderForTest(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-config-'))
  cleanups.push(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A machine over a folder; `boot` ends the one before, as a new process would find the folder. */
async function bench({ rules = {} as Partial<PolicyFile>, gatewayId = 'gw_test' } = {}) {
  const folder = await folderForTest()
  const signer = configSigner({ gatewayId })
  const boot = async (as = signer.gateway, policy = rules) => {
    const fake = fakeServers()
    const slots = openSlots(folder)
    const machine = configMachine({
      gateway: as,
      slots,
      secrets: secretsOver(slots, as).secrets,
      servers: fake.servers,
      policy: policyOf(PolicyFile.parse(policy)),
      clock: systemClock,
      log,
    })
    const reports: ConfigReport[] = []
    machine.onReport((report) => reports.push(report))
    await machine.start()
    cleanups.push(() => machine.stop())
    const give = async (options: OfferOptions) => {
      machine.offer(signer.offer(options))
      await machine.settled()
      return machine.report()
    }
    const states = () => reports.map((report) => `${report.generation}:${report.state}`)
    return {
      machine,
      fake,
      reports,
      states,
      give,
      offer: (options: OfferOptions) => machine.offer(signer.offer(options)),
      raw: (offer: ConfigOffer) => machine.offer(offer),
    }
  }
  return { folder, signer, boot }
}

describe('offers', () => {
  it('applies a good config step by step and makes it the last known good one', async () => {
    const { boot } = await bench()
    const { give, states, machine, fake } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    await give({ servers: [server('a'), server('b')], generation: 2, probationMs: 20 })
    expect(states()).toEqual(['1:staged', '1:applying', '1:applied', '2:staged', '2:applying', '2:probation', '2:applied'])
    expect(fake.started).toEqual(['a', 'b'])
    const { applied, lkg, highestGeneration } = machine.hashes()
    expect(applied).toBe(lkg)
    expect(highestGeneration).toBe(2)
  })

  it('needs no probation when nothing could be gone back to and none when servers are only removed', async () => {
    const { boot } = await bench()
    const { give, states } = await boot()
    await give({ servers: [server('a'), server('b')], generation: 1, probationMs: 60_000 })
    await give({ servers: [server('a')], generation: 2, probationMs: 60_000 })
    expect(states().filter((state) => state.endsWith('probation'))).toEqual([])
    expect(states().at(-1)).toBe('2:applied')
  })

  const before = { servers: [server('a')], generation: 5 }
  it.each<[string, Partial<OfferOptions>]>([
    ['BAD_SIGNATURE', { flip: 'signature' }],
    ['BAD_SIGNATURE', { flip: 'header' }],
    ['HASH_MISMATCH', { flip: 'bytes' }],
    ['WRONG_GATEWAY', { gatewayId: 'gw_other' }],
    ['STALE_GENERATION', { generation: 4 }],
    ['CONFLICTING_GENERATION', { generation: 5 }],
    ['INVALID', { contentType: 'application/other' }],
    ['INVALID', { document: { v: 1, org: 'o', workspace: 'w', environment: 'e', servers: [{ name: 'x' }] } }],
    ['INVALID', { document: { v: 2 } }],
    ['INVALID', { servers: [server('a'), server('a')] }],
  ])('refuses with %s: %o', async (reason, change) => {
    const { boot } = await bench()
    const { give, fake, machine } = await boot()
    await give(before)
    const running = machine.hashes()
    const report = await give({ servers: [server('b')], generation: 6, ...change })
    expect(report).toMatchObject({ state: 'rejected', reason })
    expect(fake.started).toEqual(['a'])
    expect(machine.hashes()).toMatchObject({ applied: running.applied, lkg: running.lkg, highestGeneration: 5 })
  })

  it('refuses an offer whose plain fields differ from its signed header', async () => {
    const { boot, signer } = await bench()
    const { raw, machine } = await boot()
    raw({ ...signer.offer({ servers: [server('a')], generation: 1 }), generation: 2n })
    await machine.settled()
    expect(machine.report()).toMatchObject({ state: 'rejected', reason: 'BAD_SIGNATURE' })
  })

  it('refuses a key that it was not enrolled with', async () => {
    const { boot } = await bench()
    const { raw, machine } = await boot()
    raw(configSigner().offer({ servers: [server('a')], generation: 1 }))
    await machine.settled()
    expect(machine.report()).toMatchObject({ state: 'rejected', reason: 'BAD_SIGNATURE' })
  })

  it('checks the signature before it believes anything that the header says', async () => {
    const { boot } = await bench()
    const { give } = await boot()
    expect(await give({ servers: [], generation: 1, gatewayId: 'gw_other', flip: 'signature' })).toMatchObject({ reason: 'BAD_SIGNATURE' })
    expect(await give({ servers: [], generation: 1, gatewayId: 'gw_other', flip: 'bytes' })).toMatchObject({ reason: 'WRONG_GATEWAY' })
  })

  it('names every server that the policy of the host forbids', async () => {
    const { boot } = await bench({ rules: { commands: ['allowed'] } })
    const { give, fake } = await boot()
    const report = await give({ servers: [server('a'), { name: 'b', command: ['allowed'] }, server('c')], generation: 1 })
    expect(report).toMatchObject({ state: 'rejected', reason: 'LOCAL_POLICY' })
    expect(report?.servers.map((one) => [one.name, one.instances[0]?.reason])).toEqual([
      ['a', 'LocalPolicy'],
      ['c', 'LocalPolicy'],
    ])
    expect(report?.message).toContain('"commands"')
    expect(fake.started).toEqual([])
  })

  it('answers the same offer again without applying it again', async () => {
    const { boot } = await bench()
    const { give, fake, states } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    const report = await give({ servers: [server('a')], generation: 1, nonce: 77n })
    expect(report).toMatchObject({ state: 'applied', nonce: 77n })
    expect(fake.started).toEqual(['a'])
    expect(states().filter((state) => state === '1:applying')).toHaveLength(1)
  })

  it('takes a repeated offer that is under way as the same one', async () => {
    const { boot } = await bench()
    const { offer, machine, fake, reports } = await boot()
    offer({ servers: [server('hangs')], generation: 1 })
    await until('the start', () => fake.started.length === 1)
    offer({ servers: [server('hangs')], generation: 1, nonce: 99n })
    await until('the answer', () => reports.some((report) => report.nonce === 99n && report.state === 'applying'))
    fake.release()
    await machine.settled()
    expect(machine.report()).toMatchObject({ state: 'applied', nonce: 99n })
    expect(fake.started).toEqual(['hangs'])
  })
})

describe('a config that fails', () => {
  it('is rolled back before it is routed, names server and reason, and is quarantined', async () => {
    const { boot } = await bench()
    const { give, fake, machine } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    const report = await give({ servers: [server('a'), server('fails')], generation: 2, probationMs: 10 })
    expect(report).toMatchObject({ state: 'rolled_back', reason: 'UNHEALTHY', servers: [{ name: 'fails', state: 'failed' }] })
    expect(report?.servers[0]?.instances[0]).toMatchObject({ exitCode: 7, reason: 'ExitedEarly', lastLogLines: ['boom'] })
    expect(report?.servers[0]?.subHash).toMatch(/^[0-9a-f]{64}$/)
    expect(fake.routings).toEqual([['a']])
    expect(machine.hashes().applied).toBe(machine.hashes().lkg)
    expect(await give({ servers: [server('a'), server('fails')], generation: 3 })).toMatchObject({
      state: 'rejected',
      reason: 'QUARANTINED',
    })
    fake.behave('fails', 'ready')
    expect(await give({ servers: [server('a'), server('fails')], generation: 4, force: true })).toMatchObject({ state: 'applied' })
    expect(await give({ servers: [server('a'), server('fails')], generation: 5 })).toMatchObject({ state: 'applied' })
  })

  it('goes back to the old servers when one dies in probation, without touching the unchanged', async () => {
    const { boot } = await bench()
    const { give, fake } = await boot()
    await give({ servers: [server('a'), server('b')], generation: 1 })
    const report = await give({ servers: [server('a'), server('dies-in-probation')], generation: 2, probationMs: 1000 })
    expect(report).toMatchObject({ state: 'rolled_back', reason: 'UNHEALTHY' })
    expect(fake.routings).toEqual([
      ['a', 'b'],
      ['a', 'dies-in-probation'],
      ['a', 'b'],
    ])
    expect(fake.started.filter((name) => name === 'a')).toHaveLength(1)
  })

  it('tells a failed installation from a server that is ill', async () => {
    const { boot } = await bench()
    const { give } = await boot()
    expect(await give({ servers: [server('install-fails')], generation: 1 })).toMatchObject({
      state: 'rolled_back',
      reason: 'INSTALL_FAILED',
    })
  })

  it('does not fail because of a server that is not required, unchanged or stopped', async () => {
    const { boot } = await bench()
    const { give, fake } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    fake.behave('a', 'fails')
    const servers = [server('a'), server('fails-x', { required: false }), server('fails-y', { state: 'stopped' }), server('b')]
    expect(await give({ servers, generation: 2, probationMs: 10 })).toMatchObject({ state: 'applied' })
  })

  it('lets the next change of somebody else through at once', async () => {
    const { boot } = await bench()
    const { give } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    await give({ servers: [server('a'), server('fails')], generation: 2 })
    expect(await give({ servers: [server('a'), server('c')], generation: 3, probationMs: 5 })).toMatchObject({
      state: 'applied',
      generation: 3,
    })
  })
})

describe('a newer offer', () => {
  it('replaces a candidate that is applying and stops what that one started', async () => {
    const { boot } = await bench()
    const { give, offer, fake, states, machine } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    offer({ servers: [server('a'), server('hangs')], generation: 2 })
    await until('the start', () => fake.started.includes('hangs'))
    await give({ servers: [server('a'), server('b')], generation: 3 })
    expect(states()).toEqual(expect.arrayContaining(['2:superseded', '3:applied']))
    expect(fake.stopped).toContain('hangs')
    expect(machine.hashes().highestGeneration).toBe(3)
  })

  it('does not keep the last known good config from advancing to one whose servers have stood long enough', async () => {
    const { boot } = await bench()
    const { give, offer, machine, states, fake } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    const first = machine.hashes().lkg
    offer({ servers: [server('a'), server('b')], generation: 2, probationMs: 150 })
    await until('probation of 2', () => states().includes('2:probation'))
    const second = machine.hashes().applied
    offer({ servers: [server('a'), server('b'), server('hangs')], generation: 3, probationMs: 60_000 })
    await until('superseded', () => states().includes('2:superseded'))
    expect(machine.hashes().lkg).toBe(first)
    fake.poke()
    await until('the advance', () => machine.hashes().lkg === second)
  })

  it('leaves a candidate in probation running when the newer one fails before it is routed, and lets it become the last known good', async () => {
    const { boot } = await bench()
    const { give, offer, states, fake, machine } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    offer({ servers: [server('a'), server('b')], generation: 2, probationMs: 300 })
    await until('probation', () => states().includes('2:probation'))
    const second = machine.hashes().applied
    await give({ servers: [server('a'), server('b'), server('fails')], generation: 3, probationMs: 60_000 })
    expect(states().at(-1)).toBe('3:rolled_back')
    expect(machine.report()).toMatchObject({ reason: 'UNHEALTHY', servers: [{ name: 'fails' }] })
    expect(fake.routings).toEqual([['a'], ['a', 'b']])
    expect(fake.stopped).not.toContain('b')
    expect(machine.hashes().applied).toBe(second)
    fake.poke()
    await until('the advance', () => machine.hashes().lkg === second)
    expect(await give({ servers: [server('a'), server('b')], generation: 4, probationMs: 10 })).toMatchObject({ state: 'applied' })
    expect(fake.started.filter((name) => name === 'b')).toHaveLength(1)
  })

  it('rolls back to the last known good config when it fails and what was in probation is not ready any more', async () => {
    const { boot } = await bench()
    const { give, offer, states, fake } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    offer({ servers: [server('a'), server('b')], generation: 2, probationMs: 60_000 })
    await until('probation', () => states().includes('2:probation'))
    fake.ail('b')
    await give({ servers: [server('a'), server('b'), server('fails')], generation: 3, probationMs: 60_000 })
    expect(states().at(-1)).toBe('3:rolled_back')
    expect(fake.routedNames()).toEqual(['a'])
  })

  it('rolls back to the last known good config when it fails in its own probation, past one that was in probation before', async () => {
    const { boot } = await bench()
    const { give, offer, states, fake } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    offer({ servers: [server('a'), server('b')], generation: 2, probationMs: 60_000 })
    await until('probation', () => states().includes('2:probation'))
    await give({ servers: [server('a'), server('b'), server('dies-in-probation')], generation: 3, probationMs: 60_000 })
    expect(states().at(-1)).toBe('3:rolled_back')
    expect(fake.routedNames()).toEqual(['a'])
  })
})

describe('after a restart', () => {
  it('serves the last known good config at once, with nobody to ask', async () => {
    const { boot } = await bench()
    const first = await boot()
    first.fake.behave('hangs', 'ready')
    await first.give({ servers: [server('a'), server('hangs')], generation: 1 })
    await first.machine.stop()
    const second = await boot()
    expect(second.fake.routedNames()).toEqual(['a', 'hangs'])
  })

  it('repeats the verdict that nobody may have heard', async () => {
    const { boot } = await bench()
    const first = await boot()
    await first.give({ servers: [server('a')], generation: 1 })
    await first.give({ servers: [server('fails')], generation: 2 })
    await first.machine.stop()
    const second = await boot()
    expect(second.machine.report()).toMatchObject({
      generation: 2,
      state: 'rolled_back',
      reason: 'UNHEALTHY',
      nonce: 0n,
      servers: [{ name: 'fails' }],
    })
    expect(second.fake.routedNames()).toEqual(['a'])
    expect(await second.give({ servers: [server('fails')], generation: 3 })).toMatchObject({ reason: 'QUARANTINED' })
  })

  it('takes a candidate up again that was under way, and a stop on purpose is no attempt', async () => {
    const { boot } = await bench()
    const first = await boot()
    await first.give({ servers: [server('a')], generation: 1 })
    first.offer({ servers: [server('a'), server('b')], generation: 2, probationMs: 60_000 })
    await until('probation', () => first.states().includes('2:probation'))
    await first.machine.stop()
    for (let round = 0; round < 4; round++) {
      const again = await boot()
      await until('probation', () => again.states().includes('2:probation'))
      expect(again.fake.routings).toEqual([['a'], ['a', 'b']])
      await again.machine.stop()
    }
  })

  it('gives a candidate up that three boots did not survive, and never takes its hash again unasked', async () => {
    const { boot, folder } = await bench()
    const first = await boot()
    await first.give({ servers: [server('a')], generation: 1 })
    first.offer({ servers: [server('hangs')], generation: 2 })
    await until('applying', () => first.states().includes('2:applying'))
    // What the disk looks like after the process was killed in its third boot.
    const killed = (await readFile(join(folder, 'state.json'), 'utf8')).replace('"attempts":0', '"attempts":3')
    await first.machine.stop()
    await writeFile(join(folder, 'state.json'), killed)
    const last = await boot()
    expect(last.machine.report()).toMatchObject({ generation: 2, state: 'rolled_back', reason: 'CRASH_LOOP' })
    expect(last.fake.routedNames()).toEqual(['a'])
    expect(await last.give({ servers: [server('hangs')], generation: 2 })).toMatchObject({ reason: 'QUARANTINED' })
  })

  it('runs the config before a damaged one, says SLOT_CORRUPT, and takes the damaged one again when it is offered', async () => {
    const { boot, folder } = await bench()
    const first = await boot()
    await first.give({ servers: [server('a')], generation: 1 })
    await first.give({ servers: [server('a'), server('b')], generation: 2 })
    const { lkg } = first.machine.hashes()
    await first.machine.stop()
    const path = join(folder, `${lkg}.json`)
    await writeFile(path, (await readFile(path, 'utf8')).replace('"b"', '"x"'))
    const second = await boot()
    expect(second.machine.report()).toMatchObject({ generation: 2, state: 'rejected', reason: 'SLOT_CORRUPT' })
    expect(second.fake.routedNames()).toEqual(['a'])
    expect(await second.give({ servers: [server('a'), server('b')], generation: 2 })).toMatchObject({ state: 'applied', generation: 2 })
    expect(sha256Hex(await readFile(path))).toBe(lkg)
  })

  it.each([
    ['one pointer slot', ['lkg.a']],
    ['both pointer slots', ['lkg.a', 'lkg.b']],
    ['the record', ['state.json']],
    ['everything but documents', ['lkg.a', 'lkg.b', 'state.json', 'current.a', 'current.b']],
  ])('still serves a verified config when %s is zeroed', async (_, names) => {
    const { boot, folder } = await bench()
    const first = await boot()
    await first.give({ servers: [server('a')], generation: 1 })
    await first.give({ servers: [server('a'), server('b')], generation: 2 })
    await first.machine.stop()
    for (const name of names) await writeFile(join(folder, name), '\0'.repeat(200))
    const second = await boot()
    expect(second.fake.routedNames()).toContain('a')
    expect(second.machine.hashes().highestGeneration).toBe(2)
    expect(await second.give({ servers: [server('a'), server('b')], generation: 2 })).toMatchObject({ state: 'applied' })
    expect(second.fake.routedNames()).toEqual(['a', 'b'])
  })

  it('leaves out what the owner of the host has forbidden since, and serves the rest', async () => {
    const { boot, signer } = await bench()
    const first = await boot()
    await first.give({ servers: [server('a'), { name: 'b', command: ['other'] }], generation: 1 })
    await first.machine.stop()
    const second = await boot(signer.gateway, { commands: ['other'] })
    expect(second.fake.routedNames()).toEqual(['b'])
    expect(second.machine.leftOut()).toMatchObject([
      { name: 'a', state: 'failed', lastError: expect.stringMatching(/^LocalPolicy: .*"commands"/), instances: [] },
    ])
    expect(second.machine.leftOut()[0]?.subHash).toMatch(/^[0-9a-f]{64}$/)
    await second.give({ servers: [{ name: 'b', command: ['other'] }], generation: 2 })
    expect(second.machine.leftOut()).toEqual([])
  })

  it('finds nothing in a folder of an earlier identity', async () => {
    const { boot, signer } = await bench()
    const first = await boot()
    await first.give({ servers: [server('a')], generation: 7 })
    await first.machine.stop()
    const second = await boot({ ...signer.gateway, gatewayId: 'gw_new' })
    expect(second.fake.routedNames()).toEqual([])
    expect(second.machine.hashes()).toMatchObject({ applied: null, highestGeneration: 0 })
  })
})

describe('the disk', () => {
  it('keeps only documents that a slot names, and nothing anybody else can read', async () => {
    const { boot, folder } = await bench()
    const { give } = await boot()
    for (let generation = 1; generation <= 6; generation++) await give({ servers: [server(`a${generation}`)], generation })
    const names = await readdir(folder)
    expect(names.filter((name) => name.length === 64 + '.json'.length).length).toBeLessThanOrEqual(3)
    expect(names.filter((name) => name.endsWith('.tmp'))).toEqual([])
    const modes = await Promise.all(names.map(async (name) => ((await stat(join(folder, name))).mode & 0o777).toString(8)))
    expect(new Set(modes)).toEqual(new Set(['600']))
  })

  it('refuses an offer that it cannot store and goes on with what runs', async () => {
    const { boot, folder } = await bench()
    const { give, machine, fake } = await boot()
    await give({ servers: [server('a')], generation: 1 })
    // Root may write anywhere, so the folder itself has to go.
    await rm(folder, { recursive: true })
    await writeFile(folder, '')
    const report = await give({ servers: [server('b')], generation: 2 })
    expect(report).toMatchObject({ state: 'rejected', reason: 'STORAGE' })
    expect(fake.routedNames()).toEqual(['a'])
    expect(machine.hashes().highestGeneration).toBe(1)
  })
})
