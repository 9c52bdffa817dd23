import type { Clock } from '@mcpg/core/clock'
import { gatewayKind } from '@mcpg/proto/kinds/gateway'
import { projectKind } from '@mcpg/proto/kinds/project'
import { promptKind } from '@mcpg/proto/kinds/prompt'
import { promptRequestKind } from '@mcpg/proto/kinds/prompt-request'
import type { Changes } from '../changes/changes.ts'
import type { Configs } from '../config/service.ts'
import type { Db } from '../db/db.ts'
import type { Registry } from '../gateways/registry.ts'
import { feedOf, projectsOf } from '../resources/scope.ts'
import { turn } from '../turns.ts'

const delayMs = 250
const kinds = [projectKind.kind, promptKind.kind, promptRequestKind.kind]

/**
 * Tells watchers that projects and prompts of a workspace say something else of themselves: where gateways got another config or came
 * and went, and where a project or a prompt was changed, to which others may link. Once per 250 ms and workspace.
 */
export function tellStatuses({
  db,
  changes,
  configs,
  registry,
  clock,
}: {
  db: Pick<Db, 'read'>
  changes: Pick<Changes, 'onChange' | 'status'>
  configs: Pick<Configs, 'onAssigned'>
  registry: Pick<Registry, 'get'>
  clock: Clock
}): void {
  const waiting = new Set<string>()
  configs.onAssigned((gatewayIds) => {
    for (const id of gatewayIds) {
      const gateway = registry.get(id)
      if (gateway) later(`${gateway.org}/${gateway.workspace}`)
    }
  })
  changes.onChange(({ type, kind, scope }) => {
    if (type !== 'STATUS' && (kind === gatewayKind.kind || kinds.includes(kind))) later(feedOf(scope))
  })

  function later(workspace: string): void {
    if (waiting.has(workspace)) return
    waiting.add(workspace)
    clock.after(delayMs, () => {
      waiting.delete(workspace)
      // Who watches sees it at the next change then; a control plane that ends reads nothing any more.
      tell(workspace).catch(() => {})
    })
  }

  async function tell(workspace: string): Promise<void> {
    const where = { OR: [{ scope: workspace }, { scope: projectsOf(workspace) }], kind: { in: kinds } }
    const rows = await db.read.resource.findMany({ where, select: { scope: true, kind: true, name: true } })
    for (const { scope, kind, name } of rows) {
      changes.status(scope, kind, name)
      await turn()
    }
  }
}
