import type { Operation } from '@mcpg/proto/rest/operations'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { legacySession } from '../harness/mcp.ts'
import { ctl } from '../harness/programs.ts'
import { fixture } from './fleet.ts'
import { endManaged, operationsOf, place, wrongWith } from './managed.ts'
import { startQuickstart } from './quickstart.ts'

/** `quickstart`, then gateways made, used and deleted from the command line, one after the other. Times are from the request to ready. */
export async function liveManaged({ times }: { times: number }): Promise<{ readyMs: number[]; typedMs: number[]; wrong: string[] }> {
  const stateDir = temporaryFolder()
  const { http } = await startQuickstart(stateDir, 120_000)
  endManaged(stateDir)
  await api(http).servers(fixture('echo', 'echo'))
  const [readyMs, typedMs, wrong]: [number[], number[], string[]] = [[], [], []]
  for (let time = 1; time <= times; time++) {
    const name = `edge-${time}`
    const began = performance.now()
    const made = await ctl(['provision', 'create', ...place, '--name', name, '-o', 'json'], { stateDir })
    typedMs.push(performance.now() - began)
    if (made.code !== 0) throw new Error(`provision create ended with ${made.code}: ${made.stdout}${made.stderr}`)
    const operation = JSON.parse(made.stdout) as Operation & { endpoints: string[] }
    readyMs.push(Date.parse(operation.finishedAt ?? '') - Date.parse(operation.createdAt))
    const { instanceUid } = operation.gateway
    const session = await legacySession(operation.endpoints[0] ?? '')
    const pid = await session.call('echo__pid')
    await session.close()
    if (!/"text":"\d+"/.test(JSON.stringify(pid))) wrong.push(`${name}: echo__pid says ${JSON.stringify(pid)}`)
    wrong.push(...(await wrongWith(stateDir, [instanceUid])).map((what) => `${name} made: ${what}`))

    const history = await ctl(['provision', 'history', '--org', 'default', '--verbose'], { stateDir })
    for (const word of [operation.id, `/${name} `, 'config_applied', 'succeeded'])
      if (history.code !== 0 || !history.stdout.includes(word)) wrong.push(`${name}: the history says nothing of ${word}`)
    const deleted = await ctl(['provision', 'delete', ...place, '--instance-uid', instanceUid], { stateDir })
    if (deleted.code !== 0) wrong.push(`${name}: provision delete ended with ${deleted.code}: ${deleted.stderr}`)
    wrong.push(...(await wrongWith(stateDir, [])).map((what) => `${name} deleted: ${what}`))
  }
  const ended = (await operationsOf({ http })).filter(({ state }) => state === 'succeeded').length
  if (ended !== 2 * times) wrong.push(`${ended} operations succeeded, not ${2 * times}`)
  return { readyMs, typedMs, wrong }
}
