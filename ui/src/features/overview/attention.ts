import { stateAt, type EnrollmentView } from '../../lib/objects/enrollment.ts'
import type { GatewayView } from '../../lib/objects/gateway.ts'
import type { InstanceView } from '../../lib/objects/instance.ts'
import { trueCondition } from '../../lib/objects/condition.ts'
import type { ServerView } from '../../lib/objects/server.ts'
import { gatewayPath, serverPath } from '../../lib/pages.ts'
import { plural, timeOf } from '../../lib/format.ts'

/** What to press: an action of the console, a page, or a command to run. */
export type Fix =
  | { kind: 'retry' | 'restart'; server: string }
  | { kind: 'open'; label: string; path: string; search?: Record<string, string> }
  | { kind: 'command'; command: string }

/** One thing that needs somebody. `word` is a state of the API, `reason` its CamelCase reason, `since` ms since 1970. */
export type Attention = {
  key: string
  tone: 'red' | 'amber'
  word: string
  object: { kind: 'gateway' | 'server' | 'enrollment'; name: string; path: string; search?: Record<string, string> }
  on: string // the gateway it happens on, if it is about a server
  reason: string
  message: string
  since: number | undefined
  fixes: Fix[]
}

export type Fleet = { gateways: GatewayView[]; servers: ServerView[]; instances: InstanceView[]; enrollments: EnrollmentView[] }

/** An open token that nobody used is worth a line when it has this long left. */
const expiringMs = 180_000

/** Everything that is broken or will be, the worst and newest first. */
export function attentionOf({ gateways, servers, instances, enrollments }: Fleet, now: number): Attention[] {
  const found = [
    ...gateways.flatMap((gateway) => [...ofGateway(gateway), ...ofCredential(gateway, now)]),
    ...servers.flatMap((server) => ofServer(server, instances)),
    ...enrollments.flatMap((enrollment) => ofEnrollment(enrollment, now)),
  ]
  return found.sort((a, b) => rank(a) - rank(b) || (b.since ?? 0) - (a.since ?? 0) || (a.key < b.key ? -1 : 1))
}

const rank = ({ tone }: Attention) => (tone === 'red' ? 0 : 1)

const connections: Record<string, { tone: Attention['tone']; message: string }> = {
  offline: { tone: 'red', message: 'No frame for 60 s, or the stream broke. It goes on serving its last known good config.' },
  late: { tone: 'amber', message: 'Silent for longer than 2.5 heartbeats.' },
  unknown: { tone: 'amber', message: 'The control plane that holds its stream is lost.' },
  never_seen: { tone: 'amber', message: 'Enrolled, but its stream never opened.' },
}

function ofGateway(gateway: GatewayView): Attention[] {
  const { name, connection, config } = gateway
  const object = { kind: 'gateway' as const, name, path: gatewayPath(name) }
  const rows: Attention[] = []
  const silent = connections[connection]
  if (silent)
    rows.push({
      key: `${name}/connection`,
      tone: silent.tone,
      word: connection,
      object,
      on: '',
      reason: '',
      message: silent.message,
      since: timeOf(gateway.lastSeenAt) ?? timeOf(gateway.enrolledAt),
      fixes: [{ kind: 'command', command: 'mcpg-ctl gateway-status' }],
    })
  if (config.state === 'rejected' || config.state === 'rolled_back')
    rows.push({
      key: `${name}/config`,
      tone: 'red',
      word: config.state,
      object,
      on: '',
      reason: config.reason,
      message: config.message,
      since: timeOf(config.desired?.at),
      fixes: [{ kind: 'command', command: `mcpg-ctl describe gateway ${name}` }],
    })
  if (config.pinned)
    rows.push({
      key: `${name}/pinned`,
      tone: 'amber',
      word: 'pinned',
      object: { ...object, search: { tab: 'config' } },
      on: '',
      reason: '',
      message: `Rolled back to generation ${config.pinned.generation} by ${config.pinned.by || 'somebody'}. ${waitingOn(config.pinned.waiting)}`,
      since: timeOf(config.pinned.since),
      fixes: [
        { kind: 'open', label: 'Config', path: object.path, search: { tab: 'config' } },
        { kind: 'command', command: `mcpg-ctl resume gateway/${name}` },
      ],
    })
  return rows
}

/** A certificate lives a day and is renewed half way; with this much left the renewals have been failing for hours. */
const lateRenewalMs = 6 * 3_600_000

function ofCredential({ name, connection, credential }: GatewayView, now: number): Attention[] {
  const ends = timeOf(credential.notAfter)
  if (credential.kind !== 'certificate' || connection === 'revoked' || ends === undefined || ends - now > lateRenewalMs) return []
  const hasEnded = ends <= now
  return [
    {
      key: `${name}/certificate`,
      tone: 'amber',
      word: hasEnded ? 'expired' : 'expiring',
      object: { kind: 'gateway', name, path: gatewayPath(name) },
      on: '',
      reason: 'Certificate',
      message: hasEnded
        ? 'Its certificate ended. It gets a new one by itself when it comes back within 30 days; later it has to be enrolled again.'
        : 'Its certificate should have been renewed hours ago. The log of the gateway says why it was not.',
      since: hasEnded ? ends : undefined,
      fixes: [{ kind: 'open', label: 'Log', path: gatewayPath(name), search: { tab: 'logs' } }],
    },
  ]
}

const waitingOn = (servers: string[]) =>
  servers.length === 0 ? 'Nothing newer reaches it.' : `${plural(servers.length, 'server')} would change once it is resumed.`

function ofServer(server: ServerView, instances: InstanceView[]): Attention[] {
  const object = { kind: 'server' as const, name: server.name, path: serverPath(server.name) }
  if (server.desiredState === 'stopped') return []
  const rows: Attention[] = []
  const unplaced = trueCondition(server.conditions, 'Unplaced')
  if (unplaced)
    rows.push({
      key: `${server.name}/unplaced`,
      tone: 'amber',
      word: 'unplaced',
      object,
      on: '',
      reason: unplaced.reason,
      message: unplaced.message,
      since: timeOf(unplaced.since),
      fixes: [{ kind: 'open', label: 'Enroll a gateway', path: '/enrollments/new' }],
    })
  for (const on of server.gateways) {
    const own = instances.filter((one) => one.server === server.name && one.gateway === on.gateway)
    const bad = own.find((one) => one.state === 'crash_loop') ?? own.find((one) => one.state === 'failed' || one.state === 'unhealthy')
    const open: Fix = { kind: 'open', label: 'Log', path: object.path, search: { tab: 'logs', ...(bad && { instance: bad.name }) } }
    if (on.heldBack)
      rows.push({
        key: `${server.name}/${on.gateway}`,
        tone: 'red',
        word: 'held_back',
        object,
        on: on.gateway,
        reason: on.heldBack.reason,
        message: on.heldBack.message,
        since: timeOf(on.heldBack.since),
        fixes: [{ kind: 'retry', server: server.name }, open],
      })
    else if (on.state === 'failed' || on.state === 'degraded' || (bad && on.state !== 'unknown'))
      rows.push({
        key: `${server.name}/${on.gateway}`,
        tone: on.state === 'degraded' && bad?.state !== 'crash_loop' ? 'amber' : 'red',
        word: bad?.state === 'crash_loop' ? 'crash_loop' : on.state === 'ready' ? (bad?.state ?? on.state) : on.state,
        object,
        on: on.gateway,
        reason: on.reason || bad?.reason || '',
        message: on.message || bad?.message || '',
        since: timeOf(on.reportedAt) ?? timeOf(bad?.startTime),
        fixes: [{ kind: 'restart', server: server.name }, open],
      })
  }
  return rows
}

function ofEnrollment(enrollment: EnrollmentView, now: number): Attention[] {
  const expiresAt = timeOf(enrollment.expiresAt)
  if (stateAt(enrollment, now) !== 'open' || enrollment.usedCount > 0 || expiresAt === undefined || expiresAt - now > expiringMs) return []
  const search = { enrollment: enrollment.name }
  return [
    {
      key: `${enrollment.name}/expiring`,
      tone: 'amber',
      word: 'expiring',
      object: { kind: 'enrollment', name: enrollment.name, path: '/enrollments/new', search },
      on: '',
      reason: '',
      message: 'Nobody has used its token, and it expires soon.',
      since: timeOf(enrollment.createdAt),
      fixes: [{ kind: 'open', label: 'Watch it', path: '/enrollments/new', search }],
    },
  ]
}
