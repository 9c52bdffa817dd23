import { McpgError } from '@mcpg/proto/errors'
import type { Settings } from '../settings.ts'

export type AuditPlace = { platform?: boolean }
export type AuditFilterOptions = {
  actor?: string
  action?: string
  target?: string
  requestId?: string
  session?: string
  origin?: string
  since?: string
  until?: string
}

/** The trail of the organization, or with `--platform` of what belongs to none. */
export const auditPath = ({ org }: Pick<Settings, 'org'>, { platform }: AuditPlace): string =>
  platform ? '/v1/admin/audit' : `/v1/orgs/${encodeURIComponent(org)}/audit`

/** Durations and times of the flags as the API takes them. */
export const filterOf = ({ actor, action, target, requestId, session, origin, since, until }: AuditFilterOptions) => ({
  actor,
  action,
  target,
  requestId,
  session,
  origin,
  since: since && timeOf('--since', since),
  until: until && timeOf('--until', until),
})

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** RFC 3339 from a time, or from a duration that is so long ago. */
export function timeOf(flag: string, text: string): string {
  const [, count, unit] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const ms = count === undefined ? Date.parse(text) : Date.now() - Number(count) * unitMs[unit!]!
  if (Number.isNaN(ms))
    throw new McpgError('invalid', 'usage', `${flag} ${text} is neither a duration nor a time.`, {
      hint: 'write it like 30m, 12h, 400d or 2026-01-31T12:00:00Z',
    })
  return new Date(ms).toISOString()
}
