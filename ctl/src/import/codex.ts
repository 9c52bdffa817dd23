import { isFields, others, type Fields } from './draft.ts'

const own = [
  'bearer_token_env_var',
  'http_headers',
  'env_http_headers',
  'env_vars',
  'startup_timeout_sec',
  'startup_timeout_ms',
  'tool_timeout_sec',
] as const

/**
 * A server of Codex in the words of the other clients, and the fields of a spec that only Codex has words for. What is not written as
 * Codex reads it stays where it is.
 */
export function fromCodex(entry: Fields): { entry: Fields; fields: Fields } {
  const { bearer_token_env_var: token, http_headers: headers, env_http_headers: variables, env_vars: inherited } = entry
  const sent = {
    ...(isFields(headers) && headers),
    ...(isFields(variables) && Object.fromEntries(Object.entries(variables).map(([name, variable]) => [name, `\${${String(variable)}}`]))),
    ...(typeof token === 'string' && { Authorization: `Bearer \${${token}}` }),
  }
  const isListed = Array.isArray(inherited) && inherited.every((one) => typeof one === 'string')
  const fields = {
    ...(isListed && inherited.length > 0 && { inheritEnv: inherited }),
    ...duration('startTimeout', entry['startup_timeout_sec'], 1000),
    ...duration('startTimeout', entry['startup_timeout_ms'], 1),
    ...duration('callTimeout', entry['tool_timeout_sec'], 1000),
  }
  const left = isListed ? {} : { ...(inherited !== undefined && { env_vars: inherited }) }
  return { entry: { ...others(entry, own), ...left, ...(Object.keys(sent).length > 0 && { headers: sent }) }, fields }
}

function duration(field: string, value: unknown, unitMs: number): Fields {
  const ms = typeof value === 'number' ? Math.round(value * unitMs) : 0
  return ms > 0 ? { [field]: ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms` } : {}
}
