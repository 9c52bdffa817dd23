import { secretBackendKind, type SecretBackendSpec } from '@mcpg/proto/kinds/secret-backend'
import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Db } from '../db/db.ts'
import type { Resources } from '../resources/resources.ts'
import type { Broken, PlannedChange } from '../resources/rules.ts'
import { scopeKey } from '../resources/scope.ts'

/** Exactly one backend of a workspace is the default: the object that says so, else the database. Two that say so are refused. */
export function secretBackendRule({ db, resources }: { db: Pick<Db, 'read'>; resources: Pick<Resources, 'addRules'> }): void {
  const { kind } = secretBackendKind
  resources.addRules(kind, async ({ changes }) => {
    const broken: Broken[] = []
    const own = changes.filter(({ before, after }) => (after ?? before)?.kind === kind)
    for (const [scope, inScope] of Map.groupBy(own, (change) => scopeKey(change.scope))) {
      const rows = await db.read.resource.findMany({ where: { scope, kind }, select: { name: true, spec: true } })
      const changed = new Set(inScope.map(nameOf))
      const standing = rows.filter(({ name, spec }) => !changed.has(name) && (JSON.parse(spec) as SecretBackendSpec).default === true)
      const wanted = inScope.filter(({ after }) => after !== null && isDefault(after))
      const [first] = [...standing.map(({ name }) => name), ...wanted.map(nameOf)]
      for (const change of wanted)
        if (nameOf(change) !== first)
          broken.push({ change, pointer: '/spec/default', detail: `${first} is the default already: take it from there in the same apply` })
    }
    return broken
  })
}

const nameOf = ({ before, after }: PlannedChange): string => (after ?? before)!.metadata.name
const isDefault = ({ spec }: Resource): boolean => (spec as SecretBackendSpec).default === true
