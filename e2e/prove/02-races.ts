import { raceAgents, raceRedeemers } from '../scenarios/races.ts'
import { secondAgent } from '../scenarios/second-agent.ts'
import { productTimers } from '../scenarios/fleet.ts'
import { command, count, together, type Row } from './row.ts'

export const row: Row = {
  asked:
    'A second agent joins by URL, runs server-filesystem and server-memory, restarts without and with the URL; a second use of the token is refused. Eight agents race for one URL: one wins. 20 redeemers × 200 rounds: exactly one each',
  command: command(2),
  async run(counts) {
    const second = await secondAgent({ env: productTimers })
    const unsaid = ['second', 'enrolled', 'registered', second.grpcPort, second.lkg].filter((fact) => !second.facts.stdout.includes(fact))
    const isKnown = unsaid.length === 0 && second.lkg.length === 64
    counts.say('races: the second agent is done')
    const agents = await raceAgents({ agents: 8, env: productTimers })
    counts.say('races: the agents are done')
    const rounds = count(counts, 200, 5)
    const redeemers = await raceRedeemers({ redeemers: 20, rounds, env: productTimers })
    const refusedWith6 = agents.exitCodes.filter((code) => code === 6).length
    return together(
      {
        measured: `three starts of the second agent: ${[...new Set(second.starts)].join(', ')}`,
        ok: second.starts.every((one) => one === 'serves both'),
      },
      {
        measured: isKnown
          ? '`gateway-status` says gateway, credentials, registration, control plane and LKG hash'
          : `gateway-status does not say ${unsaid.join(', ')}: ${second.facts.stdout}${second.facts.stderr}`,
        ok: isKnown,
      },
      {
        measured: `second use of the token: exit ${second.reuse.code}, ${firstLine(second.reuse.stderr)}`,
        ok: second.reuse.code === 6 && second.reuse.stderr.includes('already used'),
      },
      { measured: `8 agents: ${agents.online} online, ${refusedWith6} refused with exit 6`, ok: agents.online === 1 && refusedWith6 === 7 },
      {
        measured: `${rounds} rounds of 20 redeemers: ${redeemers.wrong.length} without exactly one winner (${said(redeemers.reasons)})`,
        ok: redeemers.wrong.length === 0 && redeemers.gateways === rounds,
      },
    )
  },
}

const firstLine = (text: string) => text.split('\n').find((line) => line.includes('error')) ?? text.split('\n')[0]
const said = (reasons: Record<string, number>) =>
  Object.entries(reasons)
    .map(([reason, times]) => `${times} × ${reason}`)
    .join(', ')
