import { globOf } from '../api/objects.ts'

const secretName =
  /(^|[^a-z])(tokens?|secrets?|passw(or)?d|passphrase|pwd|pat|credentials?|auth|authorization|cookie|dsn|jwt|bearer|api_?key|access_?key|private_?key|signing_?key|encryption_?key|key)([^a-z]|$)/
const plainName = /(^|[^a-z])(path|file|dir|folder|host|port|region|mode|level|id|url|name|type|count|limit)$/
const known =
  /^(gh[pousr]_|github_pat_|glpat-|sk-|sk_|rk_|pk_live_|xox[abposr]-|AKIA|ASIA|AIza|ya29\.|eyJ[\w-]+\.|mcpg_(pat|sec)_|npm_|hf_|-----BEGIN |Bearer |Basic )/

/** Decides what is a secret. `secret` and `plain` are globs of names that a person said. */
export function judge({ secret, plain }: { secret: string[]; plain: string[] }) {
  const patterns = { secret: secret.map(globOf), plain: plain.map(globOf) }
  return { isSecret }

  /** By the name of a variable, header, flag or parameter, and by what the value looks like; nothing is no secret. */
  function isSecret(name: string, value: string): boolean {
    if (patterns.plain.some((pattern) => pattern.test(name))) return false
    if (patterns.secret.some((pattern) => pattern.test(name))) return true
    if (value === '') return false
    const words = name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase()
    const byName = secretName.test(words) && !plainName.test(words)
    return byName || looksSecret(value)
  }
}

/** A key of a provider, a URL with a password in it, or long random text. */
function looksSecret(value: string): boolean {
  if (known.test(value)) return true
  if (/^[a-z][a-z0-9+.-]*:\/\/[^/\s:@]*:[^/\s@]+@/i.test(value)) return true
  return (
    /^[A-Za-z0-9+/_=-]{24,}$/.test(value) &&
    /\d/.test(value) &&
    /[A-Za-z]/.test(value) &&
    !/[/_-][a-z]+[/_-]/.test(value) &&
    entropy(value) > 3.5
  )
}

/** Bits per character; words have about 3, random text 4 and more. */
function entropy(text: string): number {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  return [...counts.values()].reduce((sum, count) => sum - (count / text.length) * Math.log2(count / text.length), 0)
}
