import { McpgError } from '@mcpg/proto/errors'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { secretKind, type RevealRequest, type RevealedSecret, type SecretSpec, type SecretStatus } from '@mcpg/proto/kinds/secret'
import { serverKind } from '@mcpg/proto/kinds/server'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import type { ActionCall } from '../resources/extensions.ts'
import type { Resources } from '../resources/resources.ts'
import { scopeKey, type WorkspaceScope } from '../resources/scope.ts'
import { secretBackendRule } from './backends.ts'
import type { SecretStore } from './store.ts'
import type { ValueBox } from './value-box.ts'
import { secretVault } from './vault.ts'

/** What a Secret is beyond the engine: values that are kept apart, versions and users in its status, and the audited reveal. */
export function secretRoom({
  db,
  store,
  box,
  audit,
  changes,
  resources,
}: {
  db: Pick<Db, 'read' | 'write'>
  store: SecretStore
  box: ValueBox
  audit: Audit
  changes: Changes
  resources: Resources
}): void {
  const { kind } = secretKind
  resources.addVault(kind, secretVault({ store, box }))
  resources.addStatus(kind, statusOf)
  secretBackendRule({ db, resources })
  resources.addAction(kind, 'reveal', reveal)
  changes.onChange(({ kind: changed, type, scope, object }) => {
    // Later: whoever hears of the server hears of it before what it leads to.
    if (changed === serverKind.kind && type !== 'STATUS' && object) queueMicrotask(() => tellUsed(scope, object))
  })

  async function statusOf({ metadata, spec }: Resource): Promise<SecretStatus> {
    const scope = scopeOf(metadata)
    const data = (spec as SecretSpec).data
    const keys = (await store.keys(scopeKey(scope), metadata.name)).filter(({ key }) => Object.hasOwn(data, key))
    const referrers = await resources.referrers(scope, kind, metadata.name)
    const usedBy = [...Map.groupBy(referrers, (one) => `${one.kind}/${one.name}`).values()].map((parts) => ({
      kind: parts[0]!.kind,
      name: parts[0]!.name,
      keys: parts.map(({ part }) => part),
    }))
    return { observedGeneration: metadata.generation, keys, usedBy }
  }

  /** Who uses a secret is its status. A server that no longer does is seen at the next look. */
  function tellUsed(scope: string, server: Resource): void {
    for (const name of new Set(serverKind.references(server.spec).map((reference) => reference.name))) changes.status(scope, kind, name)
  }

  async function reveal({ caller, scope, resource, body }: ActionCall): Promise<RevealedSecret> {
    const { key: only } = (body ?? {}) as RevealRequest
    const { name, uid } = resource.metadata
    const { data } = resource.spec as SecretSpec
    if (only !== undefined && !Object.hasOwn(data, only))
      throw new McpgError('not_found', 'key_unknown', `Secret ${name} has no key ${only}.`, { hint: `mcpg-ctl describe secret/${name}` })
    const wanted = (await store.keys(scopeKey(scope), name)).filter(({ key }) => Object.hasOwn(data, key) && (only ?? key) === key)
    const stored = await store.values(
      scopeKey(scope),
      wanted.map(({ key, version }) => ({ name, key, version })),
    )
    const values = stored
      .map((value) => ({ key: value.key, version: value.version, value: box.open(value) }))
      .sort((one, other) => (one.key < other.key ? -1 : 1))
    // Before anybody sees it.
    const detail = { keys: values.map(({ key }) => key) }
    await db.write((tx) => audit.record(tx, caller, 'secret.reveal', { ...scope, kind, name, uid, detail }))
    return { name, values }
  }
}

const scopeOf = ({ org = '', workspace = '' }: Resource['metadata']): WorkspaceScope => ({ org, workspace })
