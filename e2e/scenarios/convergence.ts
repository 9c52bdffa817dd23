import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import { legacySession } from '../harness/mcp.ts'
import { startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { configOf, fixture, startFleet } from './fleet.ts'

const names = ['a', 'b', 'c', 'd']
const workspace = '/v1/orgs/default/workspaces/default'
const steps = [
  'mend',
  'mend',
  'break',
  'let die',
  'stop',
  'start',
  'restart',
  'retry',
  'delete',
  'kill the agent',
  'kill the control plane',
] as const

type Wanted = { works: boolean; revision: string; isStopped: boolean }

/**
 * People who change, break, stop and delete servers one over the other, while programs are killed with -9: rounds of up to six steps at
 * random moments, the same ones for the same seed. After each round everybody waits, and everything must come to what was asked for last.
 * Answers the steps of the round that did not, or null.
 */
export async function manyChanges({ seed, rounds, env }: { seed: number; rounds: number; env: Record<string, string> }) {
  const random = generator(seed)
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)]!
  const { rest, gatewayState, ...programs } = await startFleet([fixture('base', 'echo')], env)
  let { controlPlane, gateway } = programs
  const wanted = new Map<string, Wanted>()
  for (let round = 0; round < rounds; round++) {
    const done: string[] = []
    const count = 1 + Math.floor(random() * 6)
    for (let index = 0; index < count; index++) {
      const [name, step] = [pick(names), pick(steps)]
      done.push(`${step} ${name}`)
      await take(step, name, `${round}.${index}`)
      await new Promise((resolve) => setTimeout(resolve, random() ** 2 * 1_000))
    }
    let unlike = ''
    const isSettled = await until('what was asked for last', async () => (unlike = await difference()) === '').catch(() => false)
    if (!isSettled) return { round, done, unlike }
  }
  return null

  async function take(step: (typeof steps)[number], name: string, revision: string): Promise<void> {
    const known = wanted.get(name)
    const act = (verb: string, body = {}) => rest.call('POST', `${workspace}/servers/${name}/${verb}`, body)
    if (step === 'kill the agent') {
      await gateway.kill()
      gateway = await startGateway({ stateDir: gatewayState, env })
    } else if (step === 'kill the control plane') {
      await controlPlane.kill()
      controlPlane = await controlPlane.restart()
    } else if (step === 'mend' || step === 'break' || step === 'let die') {
      if (step === 'mend') await rest.servers(fixture(name, 'echo', [], { env: [{ name: 'REVISION', value: revision }] }))
      else await rest.servers(step === 'break' ? fixture(name, 'exits-at-once', [revision]) : fixture(name, 'dies-after', ['300']))
      wanted.set(name, { works: step === 'mend', revision, isStopped: false })
    } else if (!known) return
    else if (step === 'delete') {
      await rest.remove('servers', name)
      wanted.delete(name)
    } else if (step === 'stop' || step === 'start') {
      await act(step)
      known.isStopped = step === 'stop'
    } else if (!known.isStopped) await act('restart', { retry: step === 'retry' })
  }

  /** What is not as it was asked for; '' when everything is. A broken server may serve in an older revision, or not at all. */
  async function difference(): Promise<string> {
    const { state, desired, applied } = await configOf(rest)
    if (state !== 'applied' || desired?.hash !== applied?.hash) return `the config is ${state}`
    const session = await legacySession(gateway.endpoint)
    try {
      return await differenceOf(session)
    } finally {
      await session.close()
    }
  }

  async function differenceOf(session: Session): Promise<string> {
    const serving = new Set((await session.tools()).map((tool) => tool.split('__')[0]))
    for (const name of names) {
      const { works, isStopped, revision } = wanted.get(name) ?? { works: false, isStopped: true, revision: '' }
      if (isStopped && serving.has(name)) return `${name} still serves`
      if (!works || isStopped) continue
      if (!serving.has(name)) return `${name} does not serve`
      const running = await revisionOf(session, name)
      if (running !== revision) return `${name} runs ${running} and not ${revision}`
    }
    const { servers } = (await rest.get('gateways', 'here')).status as GatewayStatus
    return serving.has('base') && servers.ready >= serving.size ? '' : `the gateway reports ${servers.ready} of ${serving.size}`
  }
}

type Session = Awaited<ReturnType<typeof legacySession>>

async function revisionOf(session: Session, name: string): Promise<string | undefined> {
  const { content } = (await session.call(`${name}__env`)) as { content: { text: string }[] }
  return (JSON.parse(content[0]?.text ?? '{}') as Record<string, string>)['REVISION']
}

/** Numbers from 0 to 1, the same for the same seed. */
function generator(seed: number): () => number {
  let state = seed
  return () => (state = (state * 1_103_515_245 + 12_345) % 2 ** 31) / 2 ** 31
}
