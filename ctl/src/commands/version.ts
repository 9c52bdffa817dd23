import { McpgError } from '@mcpg/proto/errors'
import { Version } from '@mcpg/proto/rest/control'
import { protocolRevision, version } from '@mcpg/proto/version'
import type { Context } from '../context.ts'
import { pairs } from '../output/table.ts'

export async function run(context: Context): Promise<void> {
  const api = await context.api()
  const remote = await api
    .call('GET', '/v1/version', { schema: Version, timeoutMs: 2000 })
    .then(({ body }) => body)
    .catch((error: unknown) => {
      if (error instanceof McpgError) return null
      throw error
    })
  const client = { version, protocol: protocolRevision, node: process.version }
  const { output } = context.settings
  if (output === 'json') return context.print(JSON.stringify({ client, controlPlane: remote }, null, 2))
  if (output === 'yaml')
    return context.print((await import('../manifest/print-form.ts')).toYaml({ client, controlPlane: remote }).trimEnd())
  pairs([
    ['mcpg-ctl', `${version} (Node ${process.version})`],
    ['control plane', remote ? `${remote.version} at ${api.url}` : `not reached at ${api.url}`],
  ]).forEach((line) => context.print(line))
}
