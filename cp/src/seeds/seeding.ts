import type { Part } from '@mcpg/core/lifecycle'
import { projectKind } from '@mcpg/proto/kinds/project'
import { promptKind } from '@mcpg/proto/kinds/prompt'
import { defaultScope } from '@mcpg/proto/rest/tenancy'
import { localCaller } from '../access/caller.ts'
import type { Db } from '../db/db.ts'
import { digestOf } from '../resources/content.ts'
import { contentOf } from '../resources/plan.ts'
import type { Resources } from '../resources/resources.ts'
import { scopeKey, scopeOfLevel, type Scope } from '../resources/scope.ts'
import { readSeeds, type Seed } from './read-seeds.ts'

const factKey = 'seeds'

/**
 * Writes what a workspace default has from the first start: a project with system prompts, and templates. A fact remembers the digest of
 * each seed as it was written last. A seed that this version brings anew or changed is written, unless somebody changed or deleted the
 * object meanwhile. A system prompt that is deleted becomes again what the seed says.
 */
export async function seeding({
  db,
  resources,
  folder,
}: {
  db: Pick<Db, 'read' | 'write'>
  resources: Pick<Resources, 'writeAll' | 'addOriginal'>
  folder: string
}): Promise<Part> {
  const seeds = await readSeeds(folder)
  const prompts = new Map(seeds.filter(({ declaration }) => declaration === promptKind).map((seed) => [idOf(seed), seed.input]))
  resources.addOriginal(promptKind.kind, (scope, name) => prompts.get(`${scopeKey(scope)} ${promptKind.kind}/${name}`) ?? null)
  return { name: 'seeds', start, stop: async () => {} }

  async function start(): Promise<void> {
    const { org, workspace } = defaultScope
    if (!(await db.read.workspace.findUnique({ where: { org_name: { org, name: workspace } } }))) return
    const known = await read()
    const changed = seeds.filter((seed) => known[idOf(seed)] !== digestOf(contentOf(seed.input)))
    if (changed.length === 0) return
    const writes = []
    for (const seed of changed)
      if (await isOurs(seed, known[idOf(seed)]))
        writes.push({ declaration: seed.declaration, scope: scopeOf(seed), name: seed.input.metadata.name, make: () => seed.input })
    const caller = { ...localCaller({ source: '', requestId: '' }), subject: 'control-plane' }
    await resources.writeAll(caller, writes)
    const value = JSON.stringify({ ...known, ...Object.fromEntries(changed.map((seed) => [idOf(seed), digestOf(contentOf(seed.input))])) })
    await db.write((tx) => tx.fact.upsert({ where: { key: factKey }, create: { key: factKey, value }, update: { value } }))
  }

  /** Digests by id. */
  async function read(): Promise<Record<string, string>> {
    const fact = await db.read.fact.findUnique({ where: { key: factKey } })
    return fact ? (JSON.parse(fact.value) as Record<string, string>) : {}
  }

  /** Whether the object is as we wrote it last, or was never there. */
  async function isOurs(seed: Seed, written: string | undefined): Promise<boolean> {
    const { kind } = seed.declaration
    const scope = scopeOf(seed)
    const row = await find(scope, kind, seed.input.metadata.name)
    if (row) return row.digest === written
    return written === undefined && (await hasProject(scope))
  }

  /** Whether the project that it would live in is there, or comes with it. */
  async function hasProject({ project, ...workspace }: Scope): Promise<boolean> {
    if (project === undefined || (await find(workspace, projectKind.kind, project))) return true
    return (await read())[`${scopeKey(workspace)} ${projectKind.kind}/${project}`] === undefined
  }

  async function find(scope: Scope, kind: string, name: string) {
    const where = { scope_kind_name: { scope: scopeKey(scope), kind, name } }
    return db.read.resource.findUnique({ where, select: { digest: true } })
  }
}

const scopeOf = ({ declaration, input }: Seed): Scope =>
  scopeOfLevel(declaration.scope, { ...defaultScope, project: input.metadata.project })
const idOf = (seed: Seed): string => `${scopeKey(scopeOf(seed))} ${seed.declaration.kind}/${seed.input.metadata.name}`
