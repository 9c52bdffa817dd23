import { McpgError, type Violation } from '@mcpg/proto/errors'
import { Resource, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { collectionPath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { checkObject } from '../manifest/check-object.ts'
import { splitOnce } from './value.ts'

export type MetadataOptions = { label: string[]; annotation: string[]; dryRun?: 'server' | 'client' }
export type NewObject = { kind: string; metadata: { name: string; labels?: Map; annotations?: Map }; spec: Record<string, unknown> }
type Map = Record<string, string>

/** Name, labels and annotations as the flags say them, on top of what an object that was copied has. */
export function metadataOf(name: string, { label, annotation }: MetadataOptions, copied: { labels?: Map; annotations?: Map } = {}) {
  const labels = { ...copied.labels, ...mapOf('--label', label) }
  const annotations = { ...copied.annotations, ...mapOf('--annotation', annotation) }
  return { name, ...(Object.keys(labels).length > 0 && { labels }), ...(Object.keys(annotations).length > 0 && { annotations }) }
}

function mapOf(flag: string, words: string[]): Map {
  return Object.fromEntries(
    words.map((word) => {
      const [key, value] = splitOnce(word)
      if (key === undefined) throw new McpgError('invalid', 'usage', `${flag} ${word} is not key=value.`)
      return [key, value]
    }),
  )
}

/** Checks an object, sends it and prints what became of it; `explain` says a violation in the words of the command line. */
export async function createObject(
  context: Context,
  kind: KindDeclaration,
  object: NewObject,
  dryRun: MetadataOptions['dryRun'],
  explain: (violation: Violation) => Violation = (violation) => violation,
): Promise<void> {
  const { settings, print } = context
  const target = `${kind.kind.toLowerCase()}/${object.metadata.name}`
  const violations = checkObject(kind, object.metadata, object.spec)
  if (violations.length > 0)
    throw new McpgError('invalid', 'bad_object', `${target} cannot be created so.`, {
      hint: `mcpg-ctl explain ${kind.kind.toLowerCase()}, mcpg-ctl create ${kind.kind.toLowerCase()} --help`,
      violations: violations.map(explain),
    })
  const made = dryRun === 'client' ? object : await send()
  if (settings.output === 'json') return print(JSON.stringify(made, null, 2))
  if (settings.output === 'ndjson') return print(JSON.stringify(made))
  if (settings.output === 'yaml') return print((await import('../manifest/print-form.ts')).groupedYaml([made]).trimEnd())
  print(settings.output === 'name' ? target : `${target} ${dryRun ? 'would be created' : 'created'}`)

  async function send(): Promise<Resource> {
    const api = await context.api()
    const query = dryRun ? { dryRun: true } : {}
    return (await api.call('POST', collectionPath(settings, kind), { body: object, query, schema: Resource }).catch(explained)).body
  }

  /** Violations of the control plane, too, are told in the words of the command line. */
  function explained(error: unknown): never {
    if (error instanceof McpgError) error.violations.splice(0, error.violations.length, ...error.violations.map(explain))
    throw error
  }
}
