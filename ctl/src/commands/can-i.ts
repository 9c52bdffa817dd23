import { accessWord, accessWords } from '@mcpg/proto/access-words'
import { verbs, type Place, type Verb } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import { operations } from '@mcpg/proto/grants'
import { CanIAnswer, RightsAnswer, WhoMayAnswer, type CanIQuery } from '@mcpg/proto/rest/access'
import type { Context } from '../context.ts'
import { table } from '../output/table.ts'

export type CanIOptions = { list?: boolean; who?: boolean }

/** Exit 1 for a no. */
export async function run(context: Context, args: string[], { list, who }: CanIOptions): Promise<number | void> {
  if (list) return listRights(context, args)
  if (who) return listWhoMay(context, args)
  const query = queryOf(context, args)
  const api = await context.api()
  const { body } = await api.call('GET', '/v1/access/can-i', { query, schema: CanIAnswer })
  await printIn(context, body, () => {
    context.print(body.allowed ? 'yes' : 'no')
    if (body.only) context.say(`only ${body.only.join(', ')}`)
    if (body.below) context.say('but somewhere below: name it with --workspace, --environment or --project')
  })
  return body.allowed ? undefined : 1
}

async function listWhoMay(context: Context, args: string[]): Promise<void> {
  const query = queryOf(context, args)
  const api = await context.api()
  const { body } = await api.call('GET', '/v1/access/who-may', { query, schema: WhoMayAnswer })
  await printIn(context, body, () => {
    const rows = body.items.map(({ kind, name, role, binding, through = [] }) => [
      `${kind.toLowerCase()}/${name}`,
      role ?? 'platform admin',
      binding ?? '',
      through.join(' > '),
    ])
    if (rows.length === 0) return context.say('nobody may do this')
    table(['who', 'role', 'binding', 'through'], rows).forEach((line) => context.print(line))
  })
}

async function listRights(context: Context, args: string[]): Promise<void> {
  if (args.length > 0)
    throw new McpgError('invalid', 'usage', '--list shows everything, so it takes no arguments.', { hint: 'mcpg-ctl can-i --list' })
  const api = await context.api()
  const { body } = await api.call('GET', '/v1/access/rights', { schema: RightsAnswer })
  await printIn(context, body, () => {
    const rows = body.grants.map((grant) => {
      const place = placeText(grant.place)
      if ('operations' in grant) return [place, 'operations', grant.operations.join(','), '']
      return [place, grant.verbs.join(','), grant.on, grant.names?.join(',') ?? '']
    })
    if (rows.length === 0) return context.say(`${body.subject} may do nothing yet`)
    table(['place', 'verbs', 'on', 'names'], rows).forEach((line) => context.print(line))
  })
}

async function printIn({ settings: { output, as }, print, say }: Context, answer: object, human: () => void): Promise<void> {
  if (as) say(`for ${as}, as far as you may do it yourself:`)
  if (output === 'json') return print(JSON.stringify(answer, null, 2))
  if (output === 'ndjson') return print(JSON.stringify(answer))
  if (output === 'yaml') return print((await import('../manifest/print-form.ts')).toYaml(answer).trimEnd())
  human()
}

function queryOf({ settings }: Context, [what, target, ...more]: string[]): CanIQuery {
  const { org, workspace, environmentGiven, environment, project } = settings
  const place = { org, workspace, ...(environmentGiven && { environment }), ...(project !== undefined && { project }) }
  if (what === undefined || more.length > 0) throw usage('mcpg-ctl can-i takes a verb and a kind, or an operation.')
  if ((verbs as readonly string[]).includes(what)) {
    if (target === undefined) throw usage(`${what} what?`)
    const slash = target.indexOf('/')
    const kind = slash < 0 ? target : target.slice(0, slash)
    const name = slash < 0 ? undefined : target.slice(slash + 1)
    if (accessWord(kind) === undefined) throw usage(`"${kind}" is not ${accessWords()}.`)
    if (name === '') throw usage(`"${target}" names nothing.`)
    return { verb: what as Verb, kind, ...(name !== undefined && { name }), ...place }
  }
  if (target !== undefined || !(operations as readonly string[]).includes(what))
    throw usage(
      `"${what}" is neither one of ${verbs.join(', ')} nor an operation (${operations.join(', ')}).`,
      verbOfCommand[what] && `that is ${verbOfCommand[what]}: mcpg-ctl can-i ${[verbOfCommand[what], target, ...more].join(' ')}`,
    )
  return { operation: what, ...place }
}

/** The verb that a command of this name needs. */
const verbOfCommand: Record<string, Verb | undefined> = { get: 'view', list: 'view', describe: 'view', apply: 'edit', patch: 'edit' }

const usage = (message: string, hint = 'write it like mcpg-ctl can-i edit server/files') =>
  new McpgError('invalid', 'usage', message, { hint })

function placeText({ org, workspace, environment, project }: Place): string {
  if (org === undefined) return 'everywhere'
  const parts = [org, workspace, environment && `environment ${environment}`, project && `project ${project}`]
  return parts.filter((part) => part !== undefined).join('/')
}
