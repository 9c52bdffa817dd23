import { Agent, fetch as fetchBy } from 'undici'

/** `fetch` that believes these roots (PEM) and no others. A module of its own, so that what needs no TLS does not load it. */
export function fetchTrusting(roots: string | string[]): typeof fetch {
  const dispatcher = new Agent({ connect: { ca: roots } })
  return ((input: string, init: object = {}) => fetchBy(input, { ...init, dispatcher })) as unknown as typeof fetch
}
