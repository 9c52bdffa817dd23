import type { GatewayFacts } from '@mcpg/gateway-agent/main'
import type { Context } from '../context.ts'
import { relative } from '../output/age.ts'
import { oneLine, pairs } from '../output/table.ts'

export type GatewayStatusOptions = { name?: string }

/** What the agents of this machine have on disk; needs neither them nor the control plane. */
export async function run({ settings, print, say }: Context, _args: string[], { name }: GatewayStatusOptions): Promise<void> {
  const { gatewayFacts } = await import('@mcpg/gateway-agent/main')
  const all = await gatewayFacts(settings.stateDir, name)
  if (settings.output === 'json') return print(JSON.stringify(name ? all[0] : { items: all }, null, 2))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(name ? all[0] : all).trimEnd())
  if (all.length === 0) say(`no gateway agent has a folder under ${settings.stateDir}/gateways`)
  all.forEach((facts, index) => {
    if (index > 0) print('')
    pairs(linesOf(facts)).forEach((line) => print(line))
  })
}

function linesOf({ name, folder, state, problem, running, gateway, controlPlane, config, policy }: GatewayFacts): [string, string][] {
  const { lkg, applied, candidate, verdict } = config
  return [
    ['agent', `${name} (${folder})`],
    [
      'process',
      running ? `running, pid ${running.pid}, since ${when(running.since)}, endpoint ${running.endpoint ?? 'none'}` : 'not running',
    ],
    ['credentials', problem ? `damaged: ${problem.message}${problem.hint ? ` (${problem.hint})` : ''}` : state.replace('_', ' ')],
    ...(gateway ? identityLines(gateway) : []),
    ['control plane', controlPlane ? contactText(controlPlane) : (gateway?.controlPlaneEndpoints.join(', ') ?? 'none yet')],
    ['last good', pointText(lkg)],
    ['applied', pointText(applied)],
    ...(candidate ? ([['candidate', `${pointText(candidate)}, ${candidate.attempts} attempts`]] as [string, string][]) : []),
    ...(verdict
      ? ([['last verdict', oneLine(`generation ${verdict.generation} ${verdict.state} ${verdict.reason ?? ''} ${verdict.message}`)]] as [
          string,
          string,
        ][])
      : []),
    ...(config.damaged.length > 0 ? ([['damaged files', config.damaged.join(', ')]] as [string, string][]) : []),
    [
      'policy',
      policy.problem
        ? `refused: ${oneLine(policy.problem.message)}`
        : policy.rules
          ? `${JSON.stringify(policy.rules)} (${policy.path})`
          : 'everything but install scripts',
    ],
  ]
}

function identityLines(gateway: NonNullable<GatewayFacts['gateway']>): [string, string][] {
  const { gatewayId, org, workspace, environment, instanceUid, enrolledAt, credential, endpointCertificate, pins, caFile } = gateway
  return [
    ['gateway', `${gateway.name} in ${org}/${workspace}/${environment} (${gatewayId})`],
    ['instance uid', instanceUid],
    ['credential', `${credential.kind}, issue ${credential.sequence}${lifeText(credential)}`],
    ...(endpointCertificate
      ? ([['endpoint', `certificate for ${endpointCertificate.names.join(', ')}, expires ${when(endpointCertificate.expires)}`]] as [
          string,
          string,
        ][])
      : []),
    ...(pins.length > 0 ? ([['trusts', `${pins.join(', ')}${caFile ? ` (${caFile})` : ''}`]] as [string, string][]) : []),
    ['registered', when(enrolledAt)],
  ]
}

function lifeText({ expires, renews }: NonNullable<GatewayFacts['gateway']>['credential']): string {
  if (!expires || !renews) return ''
  const now = new Date().toISOString()
  if (expires < now) return `, expired ${when(expires)}; it is recovered with the next connection`
  return `, expires ${when(expires)}, ${renews < now ? 'renewal is overdue since' : 'renewed at'} ${when(renews)}`
}

function contactText({ endpoint, connectedAt, lastHeardAt, disconnected }: NonNullable<GatewayFacts['controlPlane']>): string {
  const state = disconnected
    ? `not connected since ${when(disconnected.since)}: ${oneLine(disconnected.reason)}`
    : `connected since ${when(connectedAt)}`
  return `${endpoint}, ${state}, last heard ${when(lastHeardAt)}`
}

const pointText = (point: { generation: number; hash: string } | null) => (point ? `generation ${point.generation}, ${point.hash}` : 'none')

const when = (text: string) => `${text} (${relative(text)})`
