import type { Clock } from '@mcpg/core/clock'
import { McpgError } from '@mcpg/proto/errors'
import type { Caller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db } from '../db/db.ts'
import type { Tell } from '../events/events.ts'
import type { Causes } from './causes.ts'
import type { Documents } from './documents.ts'
import { rowOf, type Generations } from './generations.ts'
import { unknownGeneration } from './history.ts'
import type { Pins } from './pins.ts'
import type { Configs } from './service.ts'
import type { ConfigStore } from './store.ts'

/** What a rollback needs to know of its gateway. */
export type RollbackGateway = { id: string; org: string; workspace: string; environment: string; name: string; revokedAt: string | null }

export type Rollbacks = ReturnType<typeof rollbackService>

/**
 * Going back by hand: an older config as a new generation, and a pin that keeps it until somebody resumes the gateway. Config, pin and
 * audit row are one transaction.
 */
export function rollbackService({
  db,
  store,
  documents,
  generations,
  pins,
  causes,
  configs,
  audit,
  tell,
  clock,
}: {
  db: Pick<Db, 'write'>
  store: ConfigStore
  documents: Pick<Documents, 'load'>
  generations: Generations
  pins: Pins
  causes: Causes
  configs: Pick<Configs, 'compileNow'>
  audit: Pick<Audit, 'record'>
  /** Of what happened to a gateway, for its events. */
  tell: Tell
  clock: Clock
}) {
  return { rollback, resume }

  async function rollback(caller: Caller, gateway: RollbackGateway, to: number): Promise<void> {
    const { id, name } = gateway
    if (gateway.revokedAt !== null)
      throw new McpgError('failed_precondition', 'gateway_revoked', `The credential of ${name} is void: no config reaches it any more.`, {
        hint: `enroll its machine anew, or mcpg-ctl delete gateway/${name}`,
      })
    const { one, before } = await generations.inTurn(async () => {
      const target = await store.find(id, to)
      if (!target) throw await unknownGeneration(store, gateway, to)
      const { configHash } = target
      if (!(await documents.load(configHash)))
        throw new McpgError('gone', 'config_pruned', `The document of generation ${to} of ${name} is not kept any more.`, {
          hint: `mcpg-ctl describe gateway/${name} lists those that are`,
        })
      const before = generations.get(id)
      if (before?.configHash === configHash)
        throw new McpgError(
          'failed_precondition',
          'already_desired',
          `Generation ${to} is what ${name} should run already (as generation ${before.generation}).`,
          { hint: `mcpg-ctl describe gateway/${name}` },
        )
      const failed = await store.failedBefore([configHash])
      const by = caller.subject
      const one = await generations.next(id, configHash, {
        force: failed.has(`${id}/${configHash}`),
        changeSeq: before?.changeSeq ?? target.changeSeq,
        cause: { why: 'rollback', to, by, actions: [], more: 0 },
      })
      const pin = { gatewayId: id, generation: to, configHash, since: new Date(clock.now()).toISOString(), by }
      await db.write(async (tx) => {
        await store.insertAssignment(tx, rowOf(one))
        await store.putPin(tx, pin)
        await audit.record(tx, caller, 'gateway.rollback', { ...targetOf(gateway), detail: { to, generation: one.generation } })
      })
      pins.set(pin)
      generations.replace(one)
      return { one, before }
    })
    const message = `Generation ${to} became the desired config again, by ${caller.subject}; it is pinned until it is resumed.`
    tell({ ...happenedTo(gateway), reason: 'RolledBackByHand', message })
    await generations.announce([one], new Map([[id, before]]))
    // Which changes wait from now on.
    configs.compileNow(`${gateway.org}/${gateway.workspace}`)
  }

  async function resume(caller: Caller, gateway: RollbackGateway): Promise<void> {
    const { id, name } = gateway
    const scope = `${gateway.org}/${gateway.workspace}`
    await generations.inTurn(async () => {
      const pin = pins.find(id)
      if (!pin)
        throw new McpgError('failed_precondition', 'not_pinned', `${name} is not pinned: every change reaches it.`, {
          hint: `mcpg-ctl rollback gateway/${name} --to <generation> pins it`,
        })
      await db.write(async (tx) => {
        await store.deletePin(tx, id)
        await audit.record(tx, caller, 'gateway.resume', { ...targetOf(gateway), detail: { generation: pin.generation } })
      })
      pins.remove(id)
      causes.resumed(scope, id, caller.subject)
    })
    tell({ ...happenedTo(gateway), reason: 'Resumed', message: `Changes reach it again, by ${caller.subject}.` })
    generations.tellGateway(id)
    configs.compileNow(scope)
  }
}

const happenedTo = ({ org, workspace, environment, name }: RollbackGateway) => ({
  scope: { org, workspace, environment },
  kind: 'Gateway',
  name,
  gateway: name,
  warning: false,
})

const targetOf = ({ org, workspace, name, id }: RollbackGateway) => ({ org, workspace, kind: 'Gateway', name, uid: id })
