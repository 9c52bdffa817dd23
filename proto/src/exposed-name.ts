/** Longest name that clients accept for a tool. */
const maxLength = 64

/**
 * Name of a tool or prompt on the aggregated endpoint: `server__tool`, and over 64 characters the first 55, `_` and 8 hex of
 * SHA-256(server, name). `digest` answers lower-case hex of SHA-256 over its UTF-8 text; a NUL separates the two parts.
 */
export function exposedName(server: string, name: string, digest: (text: string) => string): string {
  const full = `${server}__${name}`
  return full.length <= maxLength ? full : `${full.slice(0, 55)}_${digest(`${server}\0${name}`).slice(0, 8)}`
}
