import { rowsOf } from '../harness/database.ts'
import { api } from '../harness/api.ts'
import { ctl } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { createOver, cuttingProxy, resume, wrongOrder } from './cut-stream.ts'
import { fixture } from './fleet.ts'
import { begin, gatewaysPath, operationsOf, place, startManaged } from './managed.ts'

/** Operations followed over a hop that cuts after each event, by requests and by the command line. */
export async function cutEverywhere({ rounds }: { rounds: number }) {
  const { controlPlane, stateDir } = await startManaged()
  const proxy = await cuttingProxy(controlPlane.http)
  const wrong: string[] = []
  let events = 0
  const totalOf = async (id: string) =>
    (await rowsOf<{ seq: number }>(stateDir, `SELECT "seq" FROM "operation_events" WHERE "operationId" = '${id}'`)).length
  const expectOrder = async (what: string, seen: { seq: number }[], id: string) => {
    events += seen.length
    wrong.push(...wrongOrder(seen, await totalOf(id)).map((why) => `${what}: ${why}`))
  }

  for (let round = 1; round <= rounds; round++) {
    for (const [method, path, body] of [
      ['POST', gatewaysPath, { name: 'edge-0' }],
      ['DELETE', `${gatewaysPath}/edge-0`, undefined],
    ] as const) {
      const { answer } = await begin(controlPlane, method, path, body ? { body } : {})
      // While it goes on, and again from the beginning once it is over.
      for (const when of ['live', 'replayed']) {
        const followed = await resume(proxy.url, answer.operationId)
        await expectOrder(`${method} ${when}`, followed.events, answer.operationId)
        if (followed.connections !== followed.events.length + 1)
          wrong.push(`${method} ${when}: ${followed.connections} connections for ${followed.events.length} events and the 204`)
      }
    }
  }

  const exits: (number | null)[] = []
  const newest = async () => (await operationsOf(controlPlane))[0]!.id
  const made = await createOver(proxy, stateDir).seen()
  await expectOrder('the command line', made.events, await newest())
  exits.push(made.code)
  await ctl(['provision', 'delete', ...place, '--instance-uid', 'edge-1'], { stateDir })

  const refused = await createOver(proxy, stateDir, ['--isolation-tier', 'dedicated']).seen()
  await expectOrder('the command line without room', refused.events, await newest())
  exits.push(refused.code)

  // A server that takes a while to start holds the first config up.
  await api(controlPlane.http).servers(fixture('slow', 'hangs-in-initialize'))
  const watching = createOver(proxy, stateDir)
  await watching.begun()
  const id = await newest()
  watching.interrupt()
  const interrupted = await watching.seen()
  exits.push(interrupted.code)
  if (!interrupted.stderr.includes(`mcpg-ctl provision watch ${id}`)) wrong.push(`Ctrl-C does not say how to go on: ${interrupted.stderr}`)
  await fetch(`${controlPlane.http}/v1/operations/${id}/cancel`, { method: 'POST' })
  await until('it is taken back', async () => (await operationsOf(controlPlane))[0]!.finishedAt !== undefined)
  if (exits.join() !== '0,7,130') wrong.push(`the command line ended with ${exits.join(', ')}`)
  return { events, cuts: proxy.cuts(), exits, wrong }
}
