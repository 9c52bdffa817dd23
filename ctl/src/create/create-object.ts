import { McpgError, type Violation } from '@mcpg/proto/errors'
import { Resource, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { getObject } from '../api/objects.ts'
import { collectionPath, workspacePath } from '../api/paths.ts'
import type { Context } from '../context.ts'
import { checkObject } from '../manifest/check-object.ts'
import { splitOnce } from './value.ts'

export type MetadataOptions = { label: string[]; annotation: string[]; dryRun?: 'server' | 'client' }
export type NewObject = {
  kind: string
  metadata: { name: string; project?: string; labels?: Map; annotations?: Map }
  spec: Record<string, unknown>
}
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

type CreateOptions = {
  dryRun?: MetadataOptions['dryRun']
  /** What lives in the object and is made with it, or not at all. */
  inside?: NewObject[]
  /** Says a violation in the words of the command line. */
  explain?: (violation: Violation) => Violation
}

/** Checks an object, sends it and prints what became of it. */
export async function createObject(
  context: Context,
  kind: KindDeclaration,
  object: NewObject,
  { dryRun, inside = [], explain = (violation) => violation }: CreateOptions,
): Promise<void> {
  const { settings, print, say } = context
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
  if (inside.length > 0) say(`with ${inside.map((one) => `${one.kind.toLowerCase()}/${one.metadata.name}`).join(', ')}`)

  async function send(): Promise<Resource | NewObject> {
    const api = await context.api()
    const query = dryRun ? { dryRun: true } : {}
    if (inside.length > 0) {
      // An object of no version is one that is not there.
      const first = { ...object, metadata: { ...object.metadata, resourceVersion: '' } }
      await api.call('POST', `${workspacePath(settings)}/apply`, { body: { objects: [first, ...inside] }, query }).catch(explained)
      return dryRun ? object : await getObject(api, kind, object.metadata.name)
    }
    return (await api.call('POST', collectionPath(settings, kind), { body: object, query, schema: Resource }).catch(explained)).body
  }

  /** Violations of the control plane, too, are told in the words of the command line. */
  function explained(error: unknown): never {
    if (!(error instanceof McpgError)) throw error
    if (error.reason === 'version_stale')
      throw new McpgError('conflict', 'already_exists', `The ${kind.kind} ${object.metadata.name} exists already.`)
    const own = error.violations.map(({ pointer, detail }) => ({ pointer: pointer.replace(/^\/objects\/0(?=\/)/, ''), detail }))
    error.violations.splice(0, error.violations.length, ...own.map(explain))
    throw error
  }
}
