type Policy = { allow?: readonly string[] | undefined; deny?: readonly string[] | undefined }
type Policies = { tools?: Policy | undefined; servers: readonly { name: string; tools?: Policy | undefined }[] }

/** Which tools of its servers a project shows, by server and the tool's own name. */
export function toolFilter({ tools, servers }: Policies): (server: string, tool: string) => boolean {
  const whole = allows(tools)
  const own = new Map(servers.map((server) => [server.name, allows(server.tools)]))
  return (server, tool) => whole(`${server}__${tool}`) && (own.get(server)?.(tool) ?? false)
}

function allows({ allow, deny = [] }: Policy = {}): (name: string) => boolean {
  const allowed = allow?.map(matcher)
  const denied = deny.map(matcher)
  return (name) => (allowed === undefined || allowed.some((one) => one(name))) && !denied.some((one) => one(name))
}

/** `*` stands for any text, `?` for one character. */
function matcher(glob: string): (name: string) => boolean {
  const source = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  const pattern = new RegExp(`^${source}$`, 's')
  return (name) => pattern.test(name)
}
