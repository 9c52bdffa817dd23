import { McpgError } from '@mcpg/proto/errors'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import { instanceKind } from '@mcpg/proto/kinds/instance'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { Api } from '../api/client.ts'
import { followLog, readLog } from '../api/logs.ts'
import { getObject, listObjects, splitTarget } from '../api/objects.ts'
import { environmentPath, objectPath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { Interrupted } from '../failure.ts'
import { logFilesOf } from '../local/log-files.ts'
import { logPrinter } from '../output/log-printer.ts'

export type LogOptions = { follow?: boolean; tail: string; index?: number; since?: string; previous?: boolean }

export async function run(context: Context, [target = '']: string[], options: LogOptions): Promise<number | void> {
  check(context, options)
  try {
    return await printLog(context, target, options)
  } catch (error) {
    throw withFiles(context, target, error)
  }
}

async function printLog(context: Context, target: string, options: LogOptions): Promise<number | void> {
  const { stopping, say } = context
  const { follow = false, tail, index, since, previous } = options
  const api = await context.api()
  const { path, several } = await placeOf(api, target, options)
  const request = { path, query: { tail, since, previous, instance: index } }
  const printer = logPrinter(context, { several, isFollowed: follow })
  for await (const entry of follow ? followLog(api, request, stopping, say) : readLog(api, request, stopping)) await printer.entry(entry)
  printer.end()
  if (stopping.aborted) throw new Interrupted(follow ? `stopped following; go on with: ${context.commandLine}` : '')
  return printer.failed() ? 1 : undefined
}

/** Without a control plane the log can still be read where it is written. */
function withFiles({ settings }: Context, target: string, error: unknown): unknown {
  if (!(error instanceof McpgError) || (error.reason !== 'control_plane_unreachable' && error.reason !== 'no_answer')) return error
  const files = logFilesOf(settings.stateDir, target)
  if (files.length === 0) return error
  const hint = `on this machine the log is in ${files.join(' and ')}${error.hint ? `; ${error.hint}` : ''}`
  return new McpgError(error.code, error.reason, error.message, { cause: error.cause, hint })
}

function check({ settings }: Context, { follow, tail, since, previous }: LogOptions): void {
  const wrong = (what: string, hint: string) => new McpgError('invalid', 'usage', what, { hint })
  if (!/^(all|\d{1,7})$/.test(tail)) throw wrong(`--tail ${tail} is no number of lines.`, 'write it like 500, or all')
  if (since !== undefined && !/^\d{1,9}(ms|s|m|h|d)$/.test(since) && Number.isNaN(Date.parse(since)))
    throw wrong(`--since ${since} is neither a duration nor a time.`, 'write it like 30s, 5m, 2h or 2026-01-31T12:00:00Z')
  if (follow && previous) throw wrong('A life that is over cannot be followed.', 'leave out --follow or --previous')
  if (settings.output === 'name') throw wrong('Lines of a log have no names.', '-o table, wide, json, ndjson or yaml')
}

/** Where the log is, and whether lines of several instances are to be expected. */
async function placeOf(api: Api, target: string, { index }: LogOptions): Promise<{ path: string; several: boolean }> {
  const { settings } = api
  const alone = (path: string) => {
    if (index !== undefined)
      throw new McpgError('invalid', 'usage', '--index chooses among the instances of a server.', { hint: `mcpg-ctl logs ${target}` })
    return { path, several: false }
  }
  if (target === 'control-plane') return alone('/v1/control/logs')
  if (!target.includes('/')) return ofServer(target)
  const { kind, name } = splitTarget(target)
  switch (kind.kind) {
    case 'Server':
      return ofServer(name)
    case 'Instance':
      return alone(`${objectPath(settings, kind, name)}/logs`)
    case 'Gateway': {
      // Its log lies below its environment, which a name alone does not say.
      const { environment } = settings.environmentGiven ? settings : (await getObject(api, gatewayKind, name)).metadata
      return alone(
        `${environmentPath({ ...settings, environment: environment ?? settings.environment })}/gateways/${encodeURIComponent(name)}/logs`,
      )
    }
    default:
      throw new McpgError('invalid', 'usage', `A ${kind.kind} has no log.`, {
        hint: 'mcpg-ctl logs <server>, instance/<id>, gateway/<name> or control-plane',
      })
  }

  async function ofServer(name: string): Promise<{ path: string; several: boolean }> {
    const path = `${objectPath(settings, serverKind, name)}/logs`
    if (index !== undefined) return { path, several: false }
    const instances = (await listObjects(api, instanceKind)).filter(({ spec }) => spec['server'] === name)
    return { path, several: instances.length > 1 }
  }
}
