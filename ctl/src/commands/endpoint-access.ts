import { EndpointAccess } from '@mcpg/proto/rest/tokens'
import { environmentPath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { pairs } from '../output/table.ts'

/** Shows how clients get into the endpoints of an environment, or says it anew; what is not given stays. */
export async function run(context: Context, [endpointAuth]: string[], { maxAccessAge }: { maxAccessAge?: string }): Promise<void> {
  const { settings, print } = context
  const api = await context.api()
  const path = `${environmentPath(settings)}/endpoint-access`
  const { body: before } = await api.call('GET', path, { schema: EndpointAccess })
  const shown = endpointAuth === undefined && maxAccessAge === undefined ? before : await change()
  if (settings.output === 'json') return print(JSON.stringify(shown, null, 2))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(shown).trimEnd())
  pairs([
    ['environment', settings.environment],
    ['endpoint auth', shown.endpointAuth],
    ['max access age', shown.maxAccessAge ?? 'unlimited'],
  ]).forEach((line) => print(line))

  async function change(): Promise<EndpointAccess> {
    const age = maxAccessAge ?? before.maxAccessAge
    const wanted = {
      endpointAuth: endpointAuth ?? before.endpointAuth,
      ...(age !== undefined && age !== 'unlimited' && { maxAccessAge: age }),
    }
    return (await api.call('PUT', path, { schema: EndpointAccess, body: wanted })).body
  }
}
