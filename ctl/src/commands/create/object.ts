import { McpgError } from '@mcpg/proto/errors'
import { Resource, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { projectKind } from '@mcpg/proto/kinds/project'
import { templateKind, type InstantiateRequest } from '@mcpg/proto/kinds/template'
import { Option } from 'commander'
import { getObject } from '../../api/objects.ts'
import { objectPath } from '../../api/paths.ts'
import type { Context } from '../../context.ts'
import { createObject, metadataOf, type MetadataOptions } from '../../create/create-object.ts'
import { flagsOf, type Flag } from '../../create/flags.ts'
import { promptsOf } from '../../create/prompts-of.ts'
import { publishedNames, readServerFlags, type ServerOptions } from '../../create/published.ts'
import { asFlag, readSpec, type Typed } from '../../create/read-spec.ts'
import { refusePlaces } from '../../create/refuse-places.ts'
import { readRules } from '../../create/role-rules.ts'
import { refusePassword, setPassword } from '../../create/set-password.ts'
import { readParameters } from '../../template-parameters.ts'

type Options = MetadataOptions &
  ServerOptions & { from?: string; fromTemplate?: string; param?: string[]; roleBinding?: string[]; password?: string } & Record<
    string,
    unknown
  >
type Base = Pick<Resource, 'metadata' | 'spec'>

/** `create <kind>`: the object that the flags say, on top of another one or of a template where these are named. */
export function creating(kind: KindDeclaration) {
  return { run }

  async function run(context: Context, [name = '', ...command]: string[], options: Options): Promise<void> {
    refusePlaces(context, kind)
    const flags = flagsOf(kind)
    const typed = typedFlags(flags, options)
    if (kind.kind === 'Server') typed.push(...readServerFlags(options, typed, flags))
    if (command.length > 0) typed.push(...commandFlags(flags, typed, command))
    const base = await baseOf(context, name, options)
    const from = withoutOtherSources(base?.spec ?? {}, typed)
    const { spec, violations } = readSpec(inOrder(flags, typed), from)
    if (violations.length > 0)
      throw new McpgError('invalid', 'usage', `${violations.length === 1 ? 'A flag' : 'Flags'} cannot be read.`, {
        violations,
        hint: `mcpg-ctl create ${kind.kind.toLowerCase()} --help`,
      })
    const object = { kind: kind.kind, metadata: metadataOf(name, options, base?.metadata), spec }
    const { roleBinding = [], password } = options
    if (roleBinding.length > 0) {
      const { createWithRole } = await import('./role-binding.ts')
      return await createWithRole(context, object, readRules(roleBinding), options.dryRun)
    }
    if (password !== undefined && options.dryRun !== 'client') await refusePassword(context, password)
    const inside = kind === projectKind && options.from !== undefined ? await promptsOf(context, nameIn(options.from), name) : []
    await createObject(context, kind, object, { dryRun: options.dryRun, inside, explain: (violation) => asFlag(violation, flags) })
    if (password !== undefined && options.dryRun === undefined) await setPassword(context, name, password)
  }

  function typedFlags(flags: Flag[], options: Options): Typed[] {
    const other = Object.entries(publishedNames[kind.kind] ?? {})
    return flags.flatMap((flag) =>
      [flag.flag, ...other.flatMap(([name, meant]) => (meant === flag.flag ? [name] : []))].flatMap((name): Typed[] => {
        const value = options[new Option(`--${name}`).attributeName()] as Typed['value'] | undefined
        return value === undefined || (Array.isArray(value) && value.length === 0) ? [] : [{ flag, value }]
      }),
    )
  }

  /** The source of a server is one field: naming another takes the place of the one that was copied. */
  function withoutOtherSources(spec: Record<string, unknown>, typed: Typed[]): Record<string, unknown> {
    const sources = typed.flatMap(({ flag }) => (kind.oneOf.includes(flag.path[0] ?? '') ? [flag.path[0]] : []))
    if (sources.length === 0) return spec
    return Object.fromEntries(Object.entries(spec).filter(([field]) => !kind.oneOf.includes(field) || sources.includes(field)))
  }

  async function baseOf(context: Context, name: string, { from, fromTemplate, param = [] }: Options): Promise<Base | undefined> {
    if (from !== undefined && fromTemplate !== undefined)
      throw new McpgError('invalid', 'usage', '--from and --from-template do not go together.')
    if (fromTemplate !== undefined) return await instantiated(context, name, fromTemplate, param)
    if (param.length > 0) throw new McpgError('invalid', 'usage', '--param is about a template.', { hint: '--from-template <name>' })
    if (from === undefined) return undefined
    return await getObject(await context.api(), kind, nameIn(from))
  }
}

/** Of `kind/name` or the name alone. */
const nameIn = (word: string): string => word.slice(word.indexOf('/') + 1)

/** Whole objects before their fields, which change them. */
const inOrder = (flags: Flag[], typed: Typed[]): Typed[] =>
  typed.toSorted((one, other) => flags.indexOf(one.flag) - flags.indexOf(other.flag))

function commandFlags(flags: Flag[], typed: Typed[], words: string[]): Typed[] {
  const flag = flags.find((one) => one.flag === 'command')
  if (!flag || typed.some((one) => one.flag === flag))
    throw new McpgError('invalid', 'usage', 'The command is given twice: by --command and behind --.')
  return [{ flag, value: words.length === 1 ? [JSON.stringify(words)] : words }]
}

/** What the control plane makes of a template, without keeping it: the flags still have their say. */
async function instantiated(context: Context, name: string, word: string, param: string[]): Promise<Base> {
  const colon = word.indexOf(':')
  const [template, version] = colon < 0 ? [word] : [word.slice(0, colon), word.slice(colon + 1)]
  const api = await context.api()
  const parameters = readParameters(param, await getObject(api, templateKind, template), version)
  const request: InstantiateRequest = { name, parameters, dryRun: true, ...(version !== undefined && { version }) }
  const { body } = await api.call('POST', `${objectPath(context.settings, templateKind, template)}/instantiate`, { body: request })
  return Resource.parse(body)
}
