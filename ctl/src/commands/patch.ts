import { McpgError, type Violation } from '@mcpg/proto/errors'
import { Resource, type KindDeclaration } from '@mcpg/proto/kinds/kind'
import { secretKind } from '@mcpg/proto/kinds/secret'
import { findTargets, nothingMatches, pathOf, readTargets, refuseAmbiguous, shown } from '../api/targets.ts'
import { refuseTenancy } from '../api/tenancy.ts'
import type { Context } from '../context.ts'
import { eachObject, type One } from '../each-object.ts'
import { readSecretSources } from '../manifest/secret-sources.ts'
import { printResources } from '../output/print-resources.ts'
import { readPatch, type Patch } from '../patch/read-patch.ts'

export type PatchOptions = { selector?: string; dryRun?: boolean }

export async function run(context: Context, args: string[], { selector, dryRun = false }: PatchOptions): Promise<void> {
  const { settings, print, say } = context
  const words = args.filter((arg) => arg.includes('='))
  const names = args.filter((arg) => !arg.includes('='))
  const targets = readTargets(names)
  if (words.length === 0)
    throw new McpgError('invalid', 'usage', 'What to change is missing.', { hint: 'mcpg-ctl patch server everything state=stopped' })
  if (targets.some(({ names }) => names.length === 0) && !selector)
    throw new McpgError('invalid', 'usage', 'No name is given.', { hint: `all of them: mcpg-ctl patch ${args[0]} '*' ${words[0]}` })
  const patches = new Map<string, Patch>()
  for (const { kind } of targets) patches.set(kind.kind, await patchOf(kind))
  const api = await context.api()
  const found = await findTargets(api, targets, { selector })
  refuseAmbiguous(targets, found)
  const done = found.map(({ kind }) => ({ kind, resources: [] as Resource[] }))
  const all = found.flatMap(({ kind, resources }) => resources.map((resource): One => ({ kind, resource })))
  const isText = settings.output === 'table' || settings.output === 'wide'
  if (all.length === 0) return say(`nothing to change: ${nothingMatches(names, selector)}`)
  try {
    await eachObject(all, 'changed', change)
  } finally {
    if (!isText) await printResources(context, done, { isSingle: all.length === 1 })
  }

  async function change({ kind, resource }: One): Promise<void> {
    const { body } = await api.call('PATCH', pathOf(settings, kind, resource.metadata), {
      query: dryRun ? { dryRun } : {},
      body: patches.get(kind.kind),
      schema: Resource,
    })
    done.find((one) => one.kind === kind)?.resources.push(body)
    if (!isText) return
    const isSame = body.metadata.resourceVersion === resource.metadata.resourceVersion
    print(`${shown(kind, body.metadata.name)} ${isSame ? 'unchanged' : dryRun ? 'would be patched' : 'patched'}`)
  }

  async function patchOf(kind: KindDeclaration): Promise<Patch> {
    refuseTenancy(kind, 'patch')
    if (kind.virtual)
      throw new McpgError('unsupported', 'not_editable', `${kind.kind} objects are reported, not edited.`, {
        hint: `mcpg-ctl describe ${kind.kind.toLowerCase()} <name>`,
      })
    const { patch, violations } = readPatch(kind, words)
    if (kind.kind === secretKind.kind) await fillIn(patch, violations)
    if (violations.length === 0) return patch
    throw new McpgError('invalid', 'bad_patch', `${kind.kind} objects cannot be changed so.`, {
      violations,
      hint: `mcpg-ctl explain ${kind.kind.toLowerCase()}`,
    })
  }

  /** Values of a secret come from where a manifest takes them. */
  async function fillIn({ spec }: Patch, violations: Violation[]): Promise<void> {
    const data = Object.entries((spec?.['data'] ?? {}) as Record<string, unknown>)
    if (context.env.isTTY.stderr && data.some(([, value]) => typeof value === 'string'))
      say('warning: a value of a secret on the command line can be read by others; better data.<key>=\'{"fromEnv": "VAR"}\'')
    const given = Object.fromEntries(data.filter(([, value]) => value !== null))
    const position = { file: '(arguments)', line: 1, column: 1 }
    const object = { kind: secretKind.kind, metadata: { name: 'patch' }, spec: { data: given }, locate: () => position }
    const { objects, problems } = await readSecretSources([object], context.env)
    violations.push(...problems.map(({ detail }) => ({ pointer: '', detail: detail.replace(/^secret\/patch /, '') })))
    if (spec && data.length > 0) spec['data'] = { ...(spec['data'] as object), ...(objects[0]?.spec['data'] as object) }
  }
}
