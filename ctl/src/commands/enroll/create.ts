import { isLoopbackHost } from '@mcpg/core/http-guard'
import { McpgError } from '@mcpg/proto/errors'
import { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import { environmentPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { pairs } from '../../output/table.ts'
import { relative } from '../../output/age.ts'

export type CreateOptions = { name?: string; label: string[]; ttl: string; maxUses: number; expectedInstanceUid?: string; cidr: string[] }

export async function run(context: Context, _args: string[], options: CreateOptions): Promise<void> {
  const { settings, print, say } = context
  const { name, ttl, maxUses, expectedInstanceUid } = options
  const labels = labelsOf(options.label)
  const api = await context.api()
  const { body } = await api.call('POST', `${environmentPath(settings)}/enrollments`, {
    schema: CreatedEnrollment,
    body: {
      ttl,
      maxUses,
      ...(name ? { name } : {}),
      ...(Object.keys(labels).length > 0 ? { labels } : {}),
      ...(expectedInstanceUid ? { expectedInstanceUid } : {}),
      ...(options.cidr.length > 0 ? { cidrs: options.cidr } : {}),
    },
  })
  if (settings.output === 'json') return print(JSON.stringify(body, null, 2))
  if (settings.output === 'yaml') return print((await import('../../manifest/print-form.ts')).toYaml(body).trimEnd())
  if (settings.output === 'name') return print(`enrollment/${body.name}`)
  pairs([
    ['enrollment', body.name],
    ['url', body.url],
    ['expires', `${body.expiresAt} (${relative(body.expiresAt)})`],
  ]).forEach((line) => print(line))
  // More than one gateway of a machine needs a folder for each; a URL that several use has no name for one.
  const command = name && maxUses === 1 ? body.command.replace(/^mcpg-ctl gateway /, `mcpg-ctl gateway --name ${name} `) : body.command
  print(`\non the machine of the gateway:\n  ${command}`)
  if (isLoopbackHost(new URL(body.url).hostname))
    say('\nthe URL works only on this machine; for others the control plane must listen beyond it: mcpg-ctl serve --bind-http --bind-grpc')
  say('\nthe URL is shown this once and is good for ' + (maxUses === 1 ? 'one gateway' : `${maxUses} gateways`))
}

function labelsOf(words: string[]): Record<string, string> {
  return Object.fromEntries(
    words.map((word) => {
      const [, key = '', value = ''] = /^([^=]+)=(.*)$/.exec(word) ?? []
      if (!key) throw new McpgError('invalid', 'usage', `--label ${word} is not key=value.`, { hint: 'write it like --label role=edge' })
      return [key, value]
    }),
  )
}
