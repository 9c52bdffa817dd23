import { serverKind } from '@mcpg/proto/kinds/server'
import { listObjects } from '../../api/objects.ts'
import { objectPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'

const done = { start: 'started', stop: 'stopped', restart: 'restarting' } as const

/** One action on servers named by name, glob or server/name. */
export async function act(context: Context, words: string[], action: keyof typeof done, body: unknown): Promise<void> {
  const names = words.map((word) => word.replace(/^servers?\//, ''))
  const api = await context.api()
  const servers = names.some((name) => /[*?]/.test(name))
    ? (await listObjects(api, serverKind, { names })).map(({ metadata }) => metadata.name)
    : names
  if (servers.length === 0) context.say(`no server matches ${words.join(' ')}`)
  for (const name of servers) {
    await api.call('POST', `${objectPath(context.settings, serverKind, name)}/${action}`, body === undefined ? {} : { body })
    context.print(`server/${name} ${done[action]}`)
  }
}
