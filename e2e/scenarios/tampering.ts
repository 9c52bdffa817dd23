import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { applied, configOf, fixture, serverUrl, serving, settled } from './fleet.ts'
import { flipBit, startMeddler, type Meddle } from './meddler.ts'

export type Environment = { env?: Record<string, string> }

/** Two gateways, `a` and `b`, that reach their control plane through the meddler only. */
async function startMeddledFleet({ env }: Environment) {
  const folder = temporaryFolder()
  const given = env ? { env } : {}
  const controlPlane = await startControlPlane({ stateDir: join(folder, 'control-plane'), ...given })
  const rest = api(controlPlane.http)
  const meddler = await startMeddler(controlPlane.grpc)
  await rest.servers(fixture('echo', 'echo'))
  const startAgent = (name: string, url: string | null) =>
    startGateway({ stateDir: join(folder, name), url, args: ['--instance-uid', name, '--cp-grpc', meddler.url], ...given })
  const [a, b] = await Promise.all(['a', 'b'].map(async (name) => startAgent(name, (await rest.enroll({ name })).url)))
  if (!a || !b) throw new Error('unreachable')
  for (const [name, gateway] of [
    ['a', a],
    ['b', b],
  ] as const) {
    await serving(serverUrl(gateway, 'echo'))
    await settled(rest, name)
  }
  return { folder, controlPlane, rest, meddler, a, b, startAgent }
}

/**
 * Every way to falsify an offer on the wire. Of each: the reason that the gateway gave, whether anything of the falsified document was
 * served, and whether the next honest change was applied.
 */
export async function falsifiedOffers(environment: Environment = {}) {
  const { rest, meddler, a } = await startMeddledFleet(environment)
  const offersOf = (instanceUid: string) => meddler.offers.filter((one) => one.instanceUid === instanceUid).map(({ offer }) => offer)
  const replaced =
    (stored: () => ReturnType<typeof offersOf>[number] | undefined): Meddle =>
    (offer) => ({ ...(stored() ?? offer), nonce: offer.nonce })
  const ways: Record<string, Meddle> = {
    'a bit of the bytes': (offer) => ({ ...offer, configBytes: flipBit(offer.configBytes) }),
    'a bit of the signature': (offer) => ({ ...offer, signature: flipBit(offer.signature) }),
    'a bit of the signed header': (offer) => ({ ...offer, signedHeader: flipBit(offer.signedHeader) }),
    'signed for another gateway': replaced(() => offersOf('b').at(-1)),
    'an older generation': replaced(() => offersOf('a')[0]),
  }
  const outcomes = []
  for (const [index, [way, meddle]] of Object.entries(ways).entries()) {
    const [evil, honest] = [`evil-${index}`, `honest-${index}`]
    const seen = meddler.verdicts.length
    meddler.meddleNext('a', meddle)
    await rest.servers(fixture(evil, 'echo'))
    const verdict = await until(`a verdict on ${way}`, () =>
      meddler.verdicts
        .slice(seen)
        .find(({ instanceUid, state }) => instanceUid === 'a' && (state === 'rejected' || state === 'rolled_back')),
    )
    const isServed = await legacySession(serverUrl(a, evil)).then(
      () => true,
      () => false,
    )
    await rest.servers(fixture(honest, 'echo'))
    await serving(serverUrl(a, honest))
    outcomes.push({ way, reason: verdict.reason, message: verdict.message, isServed })
  }
  return outcomes
}

/** One bit flipped in each stored file of the config, one after the other, with the control plane gone: what is served then. */
export async function flippedSlots(environment: Environment = {}) {
  const { folder, rest, controlPlane, meddler, a, startAgent } = await startMeddledFleet(environment)
  // Several slots: the newest may be torn, an older one is there.
  for (const name of ['second', 'third']) await applied(rest, () => rest.servers(fixture(name, 'echo')), 'a')
  const newest = `${(await configOf(rest, 'a')).desired?.hash}.json`
  await a.stop()
  await controlPlane.kill()
  const stored = join(folder, 'a/gateways/default/config')
  const saved = join(folder, 'saved')
  cpSync(stored, saved, { recursive: true })
  const files = readdirSync(saved, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(saved, name)).isFile())
  const outcomes = []
  for (const name of files) {
    restore()
    writeFileSync(join(stored, name), flipBit(readFileSync(join(saved, name))))
    const gateway = await startAgent('a', null)
    const isServing = await serving(serverUrl(gateway, 'echo'), 15_000).then(
      () => true,
      () => false,
    )
    outcomes.push({ name, isServing })
    await gateway.stop()
  }
  // Back to the centre with the newest document damaged: said, and mended.
  restore()
  writeFileSync(join(stored, newest), flipBit(readFileSync(join(saved, newest))))
  const seen = meddler.verdicts.length
  const restarted = await controlPlane.restart()
  const gateway = await startAgent('a', null)
  await settled(api(restarted.http), 'a')
  await serving(serverUrl(gateway, 'third'))
  return { outcomes, reasons: [...new Set(meddler.verdicts.slice(seen).flatMap(({ reason }) => reason ?? []))] }

  function restore(): void {
    rmSync(stored, { recursive: true, force: true })
    cpSync(saved, stored, { recursive: true })
  }
}

/** The agent is killed with -9 at random moments after a change and started again; the same offer comes again each time. */
export async function killedWhileApplying({ kills, env }: { kills: number } & Environment) {
  const { rest, meddler, a, startAgent } = await startMeddledFleet(env ? { env } : {})
  let gateway = a
  const stuck: string[] = []
  for (let kill = 0; kill < kills; kill++) {
    await rest.servers(fixture('echo', 'echo', [], { env: [{ name: 'ROUND', value: `round-${kill}-` }] }))
    await pause(Math.random() * 600)
    await gateway.kill()
    gateway = await startAgent('a', null)
    // Whatever the moment was: in the end it runs what was asked for.
    await until(`round ${kill} runs`, async () => (await environmentOf(gateway)).includes(`round-${kill}-`)).catch((error: unknown) =>
      stuck.push(`kill ${kill}: ${String(error)}`),
    )
    if (stuck.length > 0) break
  }
  return { kills, stuck, refusals: [...new Set(meddler.verdicts.flatMap(({ reason }) => reason ?? []))] }
}

async function environmentOf(gateway: { endpoint: string }): Promise<string> {
  const session = await legacySession(serverUrl(gateway, 'echo'))
  const environment = JSON.stringify(await session.call('env'))
  await session.close()
  return environment
}
