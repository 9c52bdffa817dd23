import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { randomUUID } from 'node:crypto'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import type { ControlPlane } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { fixture } from './fleet.ts'
import { begin, crashMarker, endManaged, gatewaysPath, managedTimers, operationsOf, startManaged, wrongWith } from './managed.ts'

const steps = {
  create: ['workload', 'rollout', 'enrolled', 'config_applied'],
  update: ['workload', 'rollout', 'config_applied', 'surplus_removed'],
  delete: ['drained', 'revoked', 'removed'],
}
type Kind = keyof typeof steps

/** What is done with a gateway: from how it was made, to what is asked for then, and who is there in the end. */
const changes: Record<string, { kind: Kind; before?: object; body?: object; replicas?: (uid: string) => string[] }> = {
  create: { kind: 'create', body: {} },
  update: { kind: 'update', before: {}, body: { size: 'm' } },
  grow: { kind: 'update', before: {}, body: { replicas: 3 }, replicas: (uid) => [uid, `${uid}-1`, `${uid}-2`] },
  shrink: { kind: 'update', before: { replicas: 3 }, body: { replicas: 1 }, replicas: (uid) => [`${uid}-0`] },
  delete: { kind: 'delete', before: {} },
}

/** Before and after every step of every change, and of what a creation and a change to several replicas take back. */
export const crashPoints = [
  ...Object.entries(changes).flatMap(([change, { kind }]) =>
    steps[kind].flatMap((step) => [`${change}/${step}/before`, `${change}/${step}/after`]),
  ),
  ...['create', 'grow'].flatMap((change) => [`${change}/workload/undo/before`, `${change}/workload/undo/after`]),
]

/** Kills the control plane with -9 at a point, starts it again, and says what is wrong after the operation has ended; empty for nothing. */
export async function crashAt(point: string): Promise<string[]> {
  const [name = '', ...at] = point.split('/')
  const change = changes[name]
  if (!change) throw new Error(`${point} is no point`)
  const { kind, before, body, replicas = (uid: string) => [uid] } = change
  const isTakenBack = point.includes('/undo/')
  const stateDir = temporaryFolder()
  writeFileSync(join(stateDir, crashMarker), '')
  const { controlPlane: first } = await startManaged({ stateDir, env: { MCPG_CRASH_AT_STEP: [kind, ...at].join('/') } })
  // A server that takes a while to start holds the first config up, and leaves time to cancel.
  const hold = () => (isTakenBack ? api(first.http).servers(fixture('slow', 'hangs-in-initialize')) : Promise.resolve())
  if (kind === 'create') await hold()
  const known = before === undefined ? null : await made(first, before)
  if (kind !== 'create') await hold()
  const key = randomUUID()
  const request = { body: { name: 'edge-1', ...body }, key }
  // It may die before it answers.
  const asked = (kind === 'delete' ? begin(first, 'DELETE', `${gatewaysPath}/edge-1`) : begin(first, 'POST', gatewaysPath, request)).catch(
    () => null,
  )
  if (isTakenBack) await cancelled(first, (await asked)!.answer.operationId)
  await first.exited
  await asked
  const next = await first.restart({ env: managedTimers })
  endManaged(stateDir)

  const again = kind === 'delete' ? null : await begin(next, 'POST', gatewaysPath, request)
  const ended = await until(
    `${point}: the operation has ended`,
    async () => {
      const all = await operationsOf(next)
      return all.every(({ finishedAt }) => finishedAt !== undefined) ? all : null
    },
    90_000,
  )
  const [operation] = ended
  const outcome = isTakenBack ? 'cancelled' : 'succeeded'
  return [
    ...(operation?.kind === kind && operation.state === outcome ? [] : [`the last operation is ${operation?.kind} ${operation?.state}`]),
    ...(ended.length === (known === null ? 1 : 2) ? [] : [`${ended.length} operations`]),
    ...(again === null || (again.status === 202 && again.answer.operationId === operation?.id)
      ? []
      : [`the same key is answered ${again.status} ${again.answer.reason ?? again.answer.operationId}`]),
    ...(await wrongWith(stateDir, left(operation!.gateway.instanceUid))),
  ]

  function left(uid: string): string[] {
    if (kind === 'delete') return []
    if (isTakenBack) return known === null ? [] : [uid]
    return replicas(uid)
  }
}

async function made(controlPlane: ControlPlane, values: object): Promise<string> {
  const { answer } = await begin(controlPlane, 'POST', gatewaysPath, { body: { name: 'edge-1', ...values } })
  await until('it is ready', async () =>
    (await operationsOf(controlPlane)).find(({ id, state }) => id === answer.operationId && state === 'succeeded'),
  )
  return answer.instanceUid
}

async function cancelled(controlPlane: ControlPlane, id: string): Promise<void> {
  await until('its config is waited for', async () => (await operationsOf(controlPlane)).some(({ step }) => step === 'config_applied'))
  // What is taken back at once may end the process before this is answered.
  await fetch(`${controlPlane.http}/v1/operations/${id}/cancel`, { method: 'POST' }).catch(() => null)
}
