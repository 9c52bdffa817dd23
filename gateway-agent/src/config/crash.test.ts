import { afterEach, describe, expect, it } from 'vitest'
import { toBinary } from '@bufbuild/protobuf'
import { spawn } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigOfferSchema } from '@mcpg/proto/gen/gateway'
import { lifeOf, type LifeInput } from '../../test/config-life.ts'
import { configSigner, type OfferOptions } from '../../test/signed-config.ts'
import { crashMarker } from './crash-point.ts'

const child = fileURLToPath(new URL('../../test/config-child.ts', import.meta.url))
const signer = configSigner()
const server = (name: string) => ({ name, command: ['run', name] })
const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

const inputOf = (offers: OfferOptions[]): LifeInput => ({
  gatewayId: signer.gateway.gatewayId,
  key: Buffer.from(signer.publicKey).toString('base64'),
  offers: offers.map((offer) => Buffer.from(toBinary(ConfigOfferSchema, signer.offer(offer))).toString('base64')),
})

const live = (folder: string, offers: OfferOptions[]) => lifeOf(folder, inputOf(offers))

/** A life in a process of its own that kills itself at the n-th file sync; false when there were fewer. */
async function liveAndDie(folder: string, offers: OfferOptions[], crashAt: number): Promise<boolean> {
  const agent = spawn(process.execPath, [child, folder], {
    stdio: ['pipe', 'ignore', 'inherit'],
    env: { PATH: process.env['PATH'], NODE_ENV: 'test', MCPG_CRASH_AT: String(crashAt) },
  })
  agent.stdin.end(JSON.stringify(inputOf(offers)))
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) =>
    agent.once('close', (...end) => resolve(end)),
  )
  if (signal !== 'SIGKILL') expect(code).toBe(0)
  return signal === 'SIGKILL'
}

async function newFolder(from?: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mcpg-crash-'))
  folders.push(folder)
  if (from) await cp(from, folder, { recursive: true })
  await writeFile(join(folder, crashMarker), '')
  return folder
}

const old: OfferOptions = { servers: [server('a')], generation: 1 }
const next: OfferOptions = { servers: [server('a'), server('b')], generation: 2, probationMs: 20 }
const bad: OfferOptions = { servers: [server('a'), server('fails')], generation: 2, probationMs: 20 }

describe('an agent killed at a file sync', () => {
  it('ends with the new config after the offer is repeated, and in between runs the old or the new one, never a mix', async () => {
    const before = await newFolder()
    expect(await live(before, [old])).toMatchObject({ state: 'applied', routed: ['a'] })
    let n = 1
    for (; ; n++) {
      const folder = await newFolder(before)
      const wasKilled = await liveAndDie(folder, [next], n)
      const second = await live(folder, [next])
      expect(second, `after a kill at sync ${n}`).toMatchObject({ state: 'applied', generation: 2, routed: ['a', 'b'] })
      expect([['a'], ['a', 'b']]).toContainEqual(second.booted)
      expect(second.applied).toBe(second.lkg)
      for (const routing of second.routings) expect([['a'], ['a', 'b']]).toContainEqual(routing)
      if (!wasKilled) break
    }
    // Bytes, candidate, record, current, LKG and record again, two syncs each.
    expect(n).toBeGreaterThan(10)
  })

  it('never routes a config that fails, whenever the kill comes, and keeps the old one', async () => {
    const before = await newFolder()
    await live(before, [old])
    for (let n = 1; ; n++) {
      const folder = await newFolder(before)
      const wasKilled = await liveAndDie(folder, [bad], n)
      const second = await live(folder, [bad])
      expect(second, `after a kill at sync ${n}`).toMatchObject({ routed: ['a'], generation: 2 })
      expect([
        ['rolled_back', 'UNHEALTHY'],
        ['rejected', 'QUARANTINED'],
      ]).toContainEqual([second.state, second.reason])
      for (const routing of second.routings) expect(routing).toEqual(['a'])
      if (!wasKilled) break
    }
  })

  it('is never stuck when every life is killed: the config is applied or given up as a crash loop', async () => {
    const folder = await newFolder()
    await live(folder, [old])
    // Every life that takes the candidate up is killed right after that was counted.
    await liveAndDie(folder, [next], 7)
    let lives = 0
    while (lives < 10 && (await liveAndDie(folder, [], 3))) lives++
    expect(lives).toBeGreaterThan(0)
    expect(lives).toBeLessThan(10)
    const last = await live(folder, [next])
    expect([
      ['applied', undefined],
      ['rejected', 'QUARANTINED'],
    ]).toContainEqual([last.state, last.reason])
  })

  it('is not killed without the marker file, whatever the environment says', async () => {
    const folder = await newFolder()
    await rm(join(folder, crashMarker))
    expect(await liveAndDie(folder, [old], 1)).toBe(false)
  })
})
