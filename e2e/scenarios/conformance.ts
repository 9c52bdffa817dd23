import { runConformance, type ConformanceResult, type Revision } from '../conformance/run.ts'
import { conformanceServer, startHttpServer } from '../fixtures/start.ts'
import { closeLater } from '../harness/cleanup.ts'
import { serverUrl, startFleet } from './fleet.ts'

export type Leg = { requirements: Revision; transport: 'stdio' | 'http'; era: 'legacy' | 'modern' }

/** What is promised; an expected failure would be one that is not. */
export const legs: (Leg & { expectedFailures: string[] })[] = [
  { requirements: '2026-07-28', transport: 'http', era: 'modern', expectedFailures: [] },
  { requirements: '2025-11-25', transport: 'http', era: 'legacy', expectedFailures: [] },
  { requirements: '2025-11-25', transport: 'stdio', era: 'legacy', expectedFailures: [] },
]

/**
 * The official suite against our fixture server behind a gateway, on the unprefixed path, beside a second server on the same gateway, so
 * that aggregation is shown not to disturb it.
 */
export async function conformanceThrough(
  { requirements, transport, era, expectedFailures }: Leg & { expectedFailures: string[] },
  env?: Record<string, string>,
): Promise<ConformanceResult> {
  const { gateway } = await startFleet(
    [
      // The suite wants roots too, which no server gets unless its definition says so.
      { name: 'fixture', spec: { ...(await specOf(transport, era)), forward: ['sampling', 'elicitation', 'roots'] } },
      { name: 'decoy', spec: await specOf('stdio', 'legacy') },
    ],
    env,
  )
  return runConformance({ url: serverUrl(gateway, 'fixture').replace('127.0.0.1', 'localhost'), requirements, expectedFailures })
}

async function specOf(transport: Leg['transport'], era: Leg['era']): Promise<Record<string, unknown>> {
  if (transport === 'stdio') return { command: [process.execPath, conformanceServer, 'stdio', '--era', era] }
  const server = await startHttpServer(conformanceServer, ['http', '--era', era])
  closeLater(server.stop)
  return { url: { url: server.url } }
}
