import type { License } from '@mcpg/proto/rest/auth'

/** A license in one line; null: no control plane has looked at it. */
export function licenseText(license: License | null): string {
  if (!license || license.state === 'not_checked') return 'kept, not checked: no control plane with --license-public-key-file has seen it'
  const { state, subject, expiresAt, problem } = license
  const of = subject === undefined ? '' : ` of ${subject}`
  if (state === 'valid') return `valid${of}${expiresAt === undefined ? '' : ` until ${expiresAt}`}`
  return state === 'expired' ? `over${of} since ${expiresAt ?? 'an unknown time'}` : `not valid: ${problem ?? 'unknown'}`
}
