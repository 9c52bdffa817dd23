import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { AuditEntry, AuditVerification } from '@mcpg/proto/rest/audit'
import { errorOfResponse, getJson } from '../../lib/api.ts'
import { shellWord } from '../../lib/format.ts'

/** What the page shows of the trail; empty fields filter nothing. */
export type Filter = { actor: string; action: string; target: string; since: string; origin: string }

/** As it stands in the address. */
export const filterIn = (search: URLSearchParams): Filter => ({
  actor: search.get('actor') ?? '',
  action: search.get('action') ?? '',
  target: search.get('target') ?? '',
  since: search.get('since') ?? '',
  origin: search.get('origin') ?? '',
})

const perPage = 100
const hours: Record<string, number> = { '1h': 1, '24h': 24, '7d': 168, '30d': 720 }

const auditPath = (org: string) => `/v1/orgs/${encodeURIComponent(org)}/audit`

/** Text that does not say where it ends is a beginning. */
const begins = (text: string) => (text === '' || text.endsWith('*') ? text : `${text}*`)

function queryOf({ actor, action, target, since, origin }: Filter): URLSearchParams {
  const ago = hours[since]
  const from = ago === undefined ? '' : new Date(Date.now() - ago * 3_600_000).toISOString()
  const fields = { actor: begins(actor.trim()), action: begins(action.trim()), target: target.trim(), since: from, origin }
  return new URLSearchParams(Object.entries(fields).filter(([, value]) => value !== ''))
}

export const entriesOf = (org: string, filter: Filter) =>
  infiniteQueryOptions({
    queryKey: ['audit', org, filter],
    queryFn: ({ pageParam, signal }) => {
      const query = queryOf(filter)
      query.set('limit', String(perPage))
      if (pageParam !== '') query.set('cursor', pageParam)
      return getJson<{ items: AuditEntry[]; nextCursor?: string }>(`${auditPath(org)}?${query}`, signal)
    },
    initialPageParam: '',
    getNextPageParam: ({ nextCursor }) => nextCursor,
  })

export const verificationOf = (org: string) =>
  queryOptions({
    queryKey: ['audit-verification', org],
    queryFn: ({ signal }) => getJson<AuditVerification>(`${auditPath(org)}/verify`, signal),
    refetchOnWindowFocus: false,
  })

/** Everything that the filter leaves, oldest first, as a file. */
export async function exportOf(org: string, filter: Filter): Promise<Blob> {
  const response = await fetch(`${auditPath(org)}/export?${queryOf(filter)}`, { credentials: 'same-origin' })
  if (!response.ok) throw await errorOfResponse(response)
  return await response.blob()
}

/** The same list on the command line. */
export function commandOf({ actor, action, target, since, origin }: Filter): string {
  const flags = [
    ['--actor', begins(actor.trim())],
    ['--action', begins(action.trim())],
    ['--target', target.trim()],
    ['--since', since],
    ['--origin', origin],
  ] as const
  return ['mcpg-ctl audit list', ...flags.filter(([, value]) => value !== '').map(([flag, value]) => `${flag} ${shellWord(value)}`)].join(
    ' ',
  )
}
