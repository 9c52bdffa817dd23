import { serverKind } from '@mcpg/proto/kinds/server'
import type { Audit } from '../audit/audit.ts'
import type { Changes } from '../changes/changes.ts'
import type { Db } from '../db/db.ts'
import type { ActionCall } from '../resources/extensions.ts'
import type { Resources } from '../resources/resources.ts'
import { scopeKey } from '../resources/scope.ts'

/** What a Server can do beyond the engine: start, stop, restart. */
export function serverRoom({ db, audit, changes, resources }: { db: Db; audit: Audit; changes: Changes; resources: Resources }): void {
  resources.addAction(serverKind.kind, 'start', (call) => setState(call, 'running', 'start'))
  resources.addAction(serverKind.kind, 'stop', (call) => setState(call, 'stopped', 'stop'))
  resources.addAction(serverKind.kind, 'restart', restart)

  async function setState({ caller, scope, resource }: ActionCall, state: 'running' | 'stopped', verb: string): Promise<void> {
    await resources.update(caller, serverKind, scope, resource.metadata.name, { verb }, ({ metadata, spec }) => {
      const { name, labels, annotations } = metadata
      // Running is the default: nothing has to be written down for it.
      const unchanged = spec.state === state || (spec.state === undefined && state === 'running')
      return { metadata: { name, labels, annotations }, spec: unchanged ? spec : { ...spec, state } }
    })
  }

  /**
   * Counters in the compiled entry, not in the spec: a raised one is a changed server, so the new instances prove themselves before
   * the old ones go. `retry` also forgets that gateways hold a revision back.
   */
  async function restart({ caller, scope, resource, body }: ActionCall): Promise<void> {
    const { retry = false, upgrade = false } = (body ?? {}) as { retry?: boolean; upgrade?: boolean }
    const { uid: serverUid, name } = resource.metadata
    const raised = { restarts: { increment: 1 }, ...(upgrade ? { upgrades: { increment: 1 } } : {}) }
    await db.write(async (tx) => {
      await tx.serverControl.upsert({
        where: { serverUid },
        create: { serverUid, restarts: 1, upgrades: upgrade ? 1 : 0 },
        update: raised,
      })
      if (retry) await tx.serverHold.deleteMany({ where: { serverUid } })
      await audit.record(tx, caller, 'server.restart', {
        ...scope,
        kind: serverKind.kind,
        name,
        uid: serverUid,
        detail: { retry, upgrade },
      })
    })
    changes.publish({ type: 'STATUS', scope: scopeKey(scope), kind: serverKind.kind, name, detail: { restart: true, retry, upgrade } })
  }
}
