import { runConformance, runScenario, type ConformanceResult, type Revision } from '../conformance/run.ts'
import { conformanceServer, startHttpServer } from '../fixtures/start.ts'
import { closeLater } from '../harness/cleanup.ts'
import type { Gateway } from '../harness/programs.ts'
import { serverUrl, startFleet, type ServerInput } from './fleet.ts'

export type Transport = 'stdio' | 'http'
export type Era = 'legacy' | 'modern'
/** The clients of a revision speak its era; `era` is what the server behind the gateway speaks. */
export type Leg = { requirements: Revision; transport: Transport; era: Era }

/** Every pairing of eras over every transport of the server. */
export const legs: Leg[] = (['2025-11-25', '2026-07-28'] as const).flatMap((requirements) =>
  (['legacy', 'modern'] as const).flatMap((era) => (['stdio', 'http'] as const).map((transport) => ({ requirements, transport, era }))),
)

/** How many scenarios a revision requires. */
export const required: Record<Revision, number> = { '2025-11-25': 30, '2026-07-28': 37 }

export const nameOf = ({ transport, era }: Pick<Leg, 'transport' | 'era'>) => `${era}-${transport}`

/** One gateway with a fixture server per kind of the legs; with more than one, or a `decoy`, each has others beside it. */
export async function startFixtures(of: readonly Leg[], { decoy = false, env }: { decoy?: boolean; env?: Record<string, string> } = {}) {
  const kinds = new Map(of.map((leg) => [nameOf(leg), leg]))
  const servers: ServerInput[] = []
  for (const [name, leg] of kinds) servers.push({ name, spec: await specOf(leg) })
  if (decoy) servers.push({ name: 'decoy', spec: await specOf({ transport: 'stdio', era: 'legacy' }) })
  return (await startFleet(servers, env)).gateway
}

/** The official suite against our fixture server behind the gateway, on the path of that server alone. Nothing is expected to fail. */
export async function conformanceThrough(gateway: Gateway, leg: Leg): Promise<ConformanceResult> {
  const url = serverUrl(gateway, nameOf(leg)).replace('127.0.0.1', 'localhost')
  // A modern client that can be asked gets a process of its own; the suite waits 600 ms for its first answer, a start may take longer.
  if (leg.requirements === '2026-07-28' && leg.era === 'legacy') await runScenario(url, 'server-stateless')
  return runConformance({ url, requirements: leg.requirements })
}

/** What one run of the suite shows, for a row of `npm run prove`. */
export function conformanceOutcome(leg: Leg, where: string, result: ConformanceResult, say: (line: string) => void) {
  const { passed, failed, unscored, failures } = result
  for (const { scenario, check, message } of failures) if (failed.includes(scenario)) say(`  ${scenario}: ${check}: ${message}`)
  const name = `${leg.requirements} against ${leg.era} over ${leg.transport} ${where}`
  say(`conformance: ${name} done`)
  const more = `${failed.length > 0 ? `, failed: ${failed.join(', ')}` : ''}${unscored.failed.length > 0 ? `, unscored and failing: ${unscored.failed.join(', ')}` : ''}`
  return { measured: `${name}: ${passed.length}/${required[leg.requirements]}${more}`, ok: passed.length === required[leg.requirements] }
}

/** The suite wants roots too, which no server gets unless its definition says so. */
async function specOf({ transport, era }: Pick<Leg, 'transport' | 'era'>): Promise<Record<string, unknown>> {
  const forward = ['sampling', 'elicitation', 'roots']
  if (transport === 'stdio') return { command: [process.execPath, conformanceServer, 'stdio', '--era', era], forward }
  const server = await startHttpServer(conformanceServer, ['http', '--era', era])
  closeLater(server.stop)
  return { url: { url: server.url }, forward }
}
