import type { EventSpec, EventStatus } from '@mcpg/proto/kinds/event'
import type { GatewayStatus } from '@mcpg/proto/kinds/gateway'
import type { InstanceStatus } from '@mcpg/proto/kinds/instance'
import type { Condition, KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import type { ProjectSpec, ProjectStatus } from '@mcpg/proto/kinds/project'
import type { SecretStatus } from '@mcpg/proto/kinds/secret'
import type { ServerStatus } from '@mcpg/proto/kinds/server'
import { toYaml } from '../manifest/print-form.ts'
import { fieldOrder } from '../manifest/field-order.ts'
import { relative, span } from './age.ts'
import { historyLines, pinSentence } from './config-history.ts'
import { groupSections, roleBindingSections, roleSections, serviceAccountSections, tokenSections, userSections } from './describe/access.ts'
import { llmSections, proxyModelSections, secretBackendSections } from './describe/models.ts'
import { projectSections } from './describe/project.ts'
import { promptRequestSections, promptSections } from './describe/prompt.ts'
import type { Related } from './describe/related.ts'
import { templateSections } from './describe/template.ts'
import { section } from './section.ts'
import { harmless, oneLine, pairs, table } from './table.ts'

/** Events shown, the newest ones. */
const maxEvents = 20
/** Log lines shown for one thing that failed. */
const maxLogLines = 20

/** Everything a person asks about an object, in sections; what has a section of its own is not repeated. */
export function describeObject(kind: KindDeclaration, resource: Resource, related: Related): string[] {
  const { metadata, spec, status } = resource
  const scope = [metadata.org, metadata.workspace, metadata.environment, metadata.project && `project ${metadata.project}`]
  return [
    ...pairs([
      ['Kind', kind.kind],
      ['Name', metadata.name],
      ['Scope', scope.filter(Boolean).join('/') || 'platform'],
      ['Labels', mapLine(metadata.labels)],
      ...(Object.keys(metadata.annotations).length > 0
        ? ([['Annotations', oneLine(mapLine(metadata.annotations))]] as [string, string][])
        : []),
      ['Created', `${metadata.createdAt} (${relative(metadata.createdAt)})`],
      ['Generation', `${metadata.generation}`],
    ]),
    ...(own[kind.kind]?.(resource, related) ?? [
      // What a secret holds is told by its keys.
      ...section('Spec', kind.kind === 'Secret' || Object.keys(spec).length === 0 ? [] : block(fieldOrder(kind.spec, spec))),
      ...statusSections(kind, metadata.name, status, related),
    ]),
    ...eventSection(related.events),
  ]
}

/** Kinds that are told in words of their own, in place of spec and status. */
const own: Readonly<Record<string, (resource: Resource, related: Related) => string[]>> = {
  Project: ({ spec, status }) => projectSections(spec as ProjectSpec, status as Partial<ProjectStatus>),
  Prompt: promptSections,
  PromptRequest: promptRequestSections,
  Template: templateSections,
  Llm: llmSections,
  ProxyModel: proxyModelSections,
  SecretBackend: secretBackendSections,
  Role: roleSections,
  RoleBinding: roleBindingSections,
  Group: groupSections,
  User: userSections,
  ServiceAccount: serviceAccountSections,
  McpToken: tokenSections,
}

/** Newest last, as in a log. */
function eventSection(events: Resource[]): string[] {
  const rows = events.slice(-maxEvents).map((event) => {
    const { object, reason, type, gateway } = event.spec as EventSpec
    const { count, firstAt, lastAt, message } = event.status as EventStatus
    const seconds = Math.round((Date.parse(lastAt) - Date.parse(firstAt)) / 1000)
    const times = count === 1 ? '1' : `${count} in ${span(seconds)}`
    return [relative(lastAt), type, reason, `${object.kind.toLowerCase()}/${object.name}`, gateway ?? '', times, message]
  })
  return section('Events', rows.length > 0 ? table(['last', 'type', 'reason', 'object', 'gateway', 'count', 'message'], rows) : [])
}

function statusSections(kind: KindDeclaration, name: string, status: Resource['status'], related: Related): string[] {
  switch (kind.kind) {
    case 'Server':
      return serverSections(name, status as Partial<ServerStatus>, related)
    case 'Gateway':
      return gatewaySections(name, status as Partial<GatewayStatus>, related)
    case 'Secret':
      return secretSections(status as Partial<SecretStatus>)
    case 'Instance':
      return instanceSections(status as Partial<InstanceStatus>)
    default:
      return [...generalSections(status), ...conditionSection(conditionsOf(status))]
  }
}

/**
 * The status of a kind without a page of its own: what is one value stands together, a list of things is a table, what is deeper is YAML.
 * Empty fields and what the control plane has seen by now are not worth a line.
 */
function generalSections(status: Resource['status']): string[] {
  const fields = Object.entries(status).filter(([name]) => name !== 'conditions' && name !== 'observedGeneration')
  const filled = fields.filter(([, value]) => value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0))
  const isPlain = (value: unknown) => typeof value !== 'object' || (Array.isArray(value) && value.every((one) => typeof one !== 'object'))
  return [
    ...section('Status', pairs(filled.filter(([, value]) => isPlain(value)).map(([name, value]) => [titleOf(name), cellOf(value)]))),
    ...filled
      .filter(([, value]) => !isPlain(value))
      .flatMap(([name, value]) => section(titleOf(name), Array.isArray(value) ? tableOf(value as object[]) : block(value))),
  ]
}

function tableOf(rows: object[]): string[] {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  return table(
    columns.map((column) => titleOf(column)),
    rows.map((row) => columns.map((column) => cellOf((row as Record<string, unknown>)[column]))),
  )
}

function cellOf(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (Array.isArray(value) && value.every((one) => typeof one !== 'object')) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : relative(String(value as string | number | boolean))
}

/** `lastSeenAt` → Last seen at */
const titleOf = (field: string) => {
  const words = field.replace(/([a-z0-9])([A-Z])/g, '$1 $2').toLowerCase()
  return words[0]!.toUpperCase() + words.slice(1)
}

const conditionsOf = (status: Resource['status']): Condition[] =>
  Array.isArray(status['conditions']) ? (status['conditions'] as Condition[]) : []

function serverSections(
  name: string,
  { ready, desired, placed, conditions = [], gateways = [] }: Partial<ServerStatus>,
  { instances, tools }: Related,
): string[] {
  const rows = gateways.map((one) => [
    one.gateway,
    one.heldBack ? 'HeldBack' : one.pinned ? 'Pinned' : one.state,
    `${one.ready}/${one.desired}`,
    String(one.restarts),
    one.resolvedVersion ?? '',
    one.reason ?? '',
    one.message ?? '',
  ])
  const heldBack = gateways.filter((one) => one.heldBack)
  return [
    ...section(
      'Status',
      pairs([
        ['Ready', `${ready ?? 0}/${desired ?? 0}`],
        ['Placed on', `${placed ?? 0} ${placed === 1 ? 'gateway' : 'gateways'}`],
      ]),
    ),
    ...conditionSection(conditions),
    ...section('Gateways', gateways.length > 0 ? table(['name', 'state', 'ready', 'restarts', 'version', 'reason', 'message'], rows) : []),
    ...section(
      'Held back',
      heldBack.flatMap(({ gateway, heldBack: hold }) => [
        `${gateway}: ${holdText(hold!)}`,
        hold!.running ? `  still running: its revision ${hold!.running.slice(0, 12)}` : '  nothing of it runs there',
      ]),
    ),
    ...(heldBack.length > 0 ? [`  change the server, or try the same again: mcpg-ctl server restart ${name} --retry`] : []),
    ...section(
      'Pinned',
      gateways.flatMap(({ gateway, pinned }) => (pinned ? [pinSentence(gateway, pinned)] : [])),
    ),
    ...instanceTable(instances),
    ...section(
      'Tools',
      tools.length > 0
        ? table(
            ['name', 'exposed as', 'title'],
            tools.map(({ spec }) => [String(spec['name']), String(spec['exposedName']), String(spec['title'] ?? '')]),
          )
        : [],
    ),
    ...gateways
      .filter(({ lastLogLines = [] }) => lastLogLines.length > 0)
      .flatMap((one) => logSection(`Last log lines on ${one.gateway}${exitText(one)}`, one.lastLogLines ?? [])),
  ]
}

function gatewaySections(name: string, status: Partial<GatewayStatus>, { instances, configs }: Related): string[] {
  const { connection, config, health, servers, conditions = [] } = status
  const point = (one: { generation: number; hash: string } | undefined) =>
    one ? `generation ${one.generation}, ${one.hash.slice(0, 12)}` : 'none'
  return [
    ...section(
      'Status',
      pairs([
        ['Connection', `${connection ?? 'unknown'}${status.lastSeenAt ? `, last seen ${relative(status.lastSeenAt)}` : ''}`],
        ['Config', [config?.state ?? 'none', config?.reason, config?.message && oneLine(config.message)].filter(Boolean).join(', ')],
        ['Health', `${health ?? 'unknown'}, ${servers?.ready ?? 0}/${servers?.total ?? 0} servers ready`],
        ['Credential', credentialText(status.credential)],
      ]),
    ),
    ...section(
      'Config',
      pairs([
        ['Desired', point(config?.desired)],
        ['Applied', point(config?.applied)],
        ['Last good', point(config?.lkg)],
        ...(config?.pinned ? ([['Pinned', pinText(name, config.pinned)]] as [string, string][]) : []),
      ]),
    ),
    ...section('Config history', historyLines(configs)),
    ...section(
      'Held back',
      (config?.heldBack ?? []).map((hold) => `${hold.server}: ${holdText(hold)}`),
    ),
    ...conditionSection(conditions),
    ...section(
      'Host',
      pairs([
        ['Hostname', status.hostname ?? ''],
        ['Platform', status.platform ?? ''],
        ['Version', status.version ?? ''],
        ['Endpoints', (status.endpoints ?? []).join(', ')],
        ['Sessions', String(status.activeSessions ?? 0)],
        ['Reports', mapLine(status.reportedLabels ?? {})],
        ['Enrolled', status.enrolledAt ?? ''],
      ]),
    ),
    ...instanceTable(instances),
  ]
}

function secretSections({ keys = [], usedBy = [] }: Partial<SecretStatus>): string[] {
  const users = usedBy.map((one) => [`${one.kind.toLowerCase()}/${one.name}`, one.keys.join(', ')])
  return [
    ...section(
      'Keys',
      table(
        ['key', 'version', 'changed'],
        keys.map(({ key, version, updatedAt }) => [key, String(version), relative(updatedAt)]),
      ),
    ),
    ...section('Used by', users.length > 0 ? table(['object', 'keys'], users) : ['nobody']),
  ]
}

function instanceSections({ lastLogLines = [], ...status }: Partial<InstanceStatus>): string[] {
  return [...generalSections(status), ...logSection('Last log lines', lastLogLines)]
}

function instanceTable(instances: Resource[]): string[] {
  const rows = instances.map(({ metadata, spec, status }) => {
    const { state, reason, restartCount, startTime } = status as Partial<InstanceStatus>
    return [
      metadata.name,
      String(spec['server']),
      String(spec['gateway']),
      state ?? '',
      reason ?? '',
      String(restartCount ?? 0),
      relative(startTime ?? ''),
    ]
  })
  return section('Instances', rows.length > 0 ? table(['name', 'server', 'gateway', 'state', 'reason', 'restarts', 'started'], rows) : [])
}

function conditionSection(conditions: Condition[]): string[] {
  const rows = conditions.map(({ type, status, reason, message, lastTransitionTime }) => [
    type,
    status,
    reason,
    relative(lastTransitionTime),
    message,
  ])
  return section('Conditions', rows.length > 0 ? table(['type', 'status', 'reason', 'since', 'message'], rows) : [])
}

function credentialText(credential: GatewayStatus['credential'] | undefined): string {
  if (credential?.kind !== 'certificate') return 'bearer, until it is revoked'
  const { notAfter = '', serial, renewals = 0, recoveries = 0 } = credential
  const recovered = recoveries > 0 ? `, recovered ${recoveries} times in a row` : ''
  return `certificate ${serial}, until ${notAfter}, renewed ${renewals} times${recovered}`
}

function pinText(name: string, { generation, since, by, waiting }: NonNullable<GatewayStatus['config']['pinned']>): string {
  const waits = waiting.length === 0 ? 'no change waits' : `waiting: ${oneLine(waiting.join(', '))}`
  return `to generation ${generation} by ${by} (since ${relative(since)}), ${waits}; mcpg-ctl resume gateway/${name}`
}

/** Many messages begin with their reason. */
function holdText({ reason, message, since }: { reason: string; message: string; since: string }): string {
  const text = oneLine(message)
  return `${text.startsWith(reason) ? text : `${reason}, ${text}`} (since ${relative(since)})`
}

const logSection = (title: string, lines: string[]) => section(title, lines.slice(-maxLogLines).map(oneLine))
const block = (value: unknown) => harmless(toYaml(value)).trimEnd().split('\n')
const mapLine = (map: Record<string, string>) =>
  Object.entries(map)
    .map(([key, value]) => `${key}=${value}`)
    .join(', ') || 'none'

function exitText({ exitCode, reason }: { exitCode?: number | undefined; reason?: string | undefined }): string {
  return exitCode === undefined ? '' : ` (${reason ? `${reason}, ` : ''}exit code ${exitCode})`
}
