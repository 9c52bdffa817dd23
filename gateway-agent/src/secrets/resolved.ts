import type { ConfigServer, SecretReference } from '@mcpg/proto/gateway-config'

/** A server with its secrets as text: for its runtime alone; never reported, logged, routed or stored. */
export type ResolvedServer = Omit<ConfigServer, 'env' | 'url'> & {
  env: Record<string, string>
  url?: Omit<NonNullable<ConfigServer['url']>, 'headers'> & { headers: { name: string; value: string }[] }
}

/** `name/key/version`; none of the three can hold a slash. */
export const secretId = ({ name, key, version }: SecretReference): string => `${name}/${key}/${version}`

/** How people read it. */
export const secretText = ({ name, key, version }: SecretReference): string => `secret ${name} key ${key} version ${version}`

/** The server with `values` (by id) in the places that name them. Throws where one is missing. */
export function resolved({ env, url, ...server }: ConfigServer, values: ReadonlyMap<string, string>): ResolvedServer {
  const valueOf = (reference: SecretReference): string => {
    const value = values.get(secretId(reference))
    if (value === undefined) throw new Error(`${secretText(reference)} was not opened`)
    return value
  }
  return {
    ...server,
    env: Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, typeof value === 'string' ? value : valueOf(value.secretRef)]),
    ),
    ...(url && {
      url: {
        ...url,
        headers: url.headers.map((header) => ({ name: header.name, value: 'value' in header ? header.value : valueOf(header.secretRef) })),
      },
    }),
  }
}
