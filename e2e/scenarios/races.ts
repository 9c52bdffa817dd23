import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { newKeys } from '../../gateway-agent/src/identity/keys.ts'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { start, startControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { redeem } from './virtual-gateway.ts'

/** Agents of their own installations are started at once with one URL; answers who is online and with which exit codes the others ended. */
export async function raceAgents({ agents, env }: { agents: number; env?: Record<string, string> }) {
  const folder = temporaryFolder()
  const controlPlane = await startControlPlane({ stateDir: join(folder, 'control-plane'), ...(env ? { env } : {}) })
  const rest = api(controlPlane.http)
  const { url } = await rest.enroll()
  const racers = Array.from({ length: agents }, (_, index) =>
    start(['gateway', '--bind', '127.0.0.1:0', '--json-logs', '--enrollment-url', url], {
      stateDir: join(folder, `racer-${index}`),
      ...(env ? { env } : {}),
    }),
  )
  const codes: (number | null)[] = []
  for (const racer of racers) void racer.exited.then((code) => codes.push(code))
  const online = await until(
    'one agent is online and the others have ended',
    async () => {
      const gateways = await rest.list('gateways')
      const count = gateways.filter(({ status }) => status['connection'] === 'online').length
      return count + codes.length >= agents && count > 0 ? count : null
    },
    120_000,
  )
  const exitCodes = [...codes]
  await Promise.all(racers.map((racer) => racer.stop()))
  await controlPlane.stop()
  return { online, exitCodes, outputs: racers.map((racer) => racer.output()) }
}

/** Rounds in which so many installations redeem one token at the same time; answers every round that did not have exactly one winner. */
export async function raceRedeemers({ redeemers, rounds, env }: { redeemers: number; rounds: number; env?: Record<string, string> }) {
  // Twenty at a time are more than the limit of all redemptions lets through in a second.
  const raised = { ...env, MCPG_ENROLLMENT_LIMITS: 'perSecond=100000' }
  const controlPlane = await startControlPlane({ stateDir: join(temporaryFolder(), 'control-plane'), env: raised })
  const rest = api(controlPlane.http)
  const keys = Array.from({ length: redeemers }, newKeys)
  const wrong: { round: number; winners: number; answers: string[] }[] = []
  const reasons: Record<string, number> = {}
  for (let round = 0; round < rounds; round++) {
    const { url } = await rest.enroll()
    const mark = randomBytes(3).toString('hex')
    const redemptions = await Promise.all(keys.map((pair, index) => redeem(url, `racer-${mark}-${round}-${index}`, pair)))
    const winners = redemptions.filter(({ status }) => status === 200).length
    const answers = redemptions.map(({ status, reason }) => (status === 200 ? 'won' : `${status} ${reason}`))
    for (const answer of answers) reasons[answer] = (reasons[answer] ?? 0) + 1
    if (winners !== 1 || answers.some((answer) => answer !== 'won' && answer !== '409 token_already_used'))
      wrong.push({ round, winners, answers })
  }
  const gateways = (await rest.call<{ total?: number; items: unknown[] }>('GET', '/v1/orgs/default/workspaces/default/gateways?limit=500'))
    .items
  await controlPlane.stop()
  return { rounds, wrong, reasons, gateways: gateways.length }
}
