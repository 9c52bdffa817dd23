import { managedCluster, type ManagedCluster } from '../kubernetes/managed.ts'
import { until } from '../harness/until.ts'
import { command, count, together, type Counts, type Outcome, type Row } from './row.ts'

type Gateway = { metadata: { uid: string }; status: { connection: string } }

export const row: Row = {
  asked:
    'A real Kubernetes: create → ready with the real agent in a pod, its tool called through the control plane; updated in place; its config changed without a restart of the pod; the pod deleted, back with the same identity; two replicas by attestation; deleted, nothing left. 20 creates with the image present: median ≤ 15 s, worst ≤ 60 s',
  command: command(28),
  async run(counts) {
    const setup = await managedCluster()
    const registered = await setup.run(...setup.registration('kube'))
    if (registered.code !== 0) return { measured: `not registered: ${registered.stderr}`, ok: false }
    await setup.ask('create', 'server', 'echo', '--command', 'node /servers/echo.ts')
    const parts: Outcome[] = []
    for (const part of [lifeOfOne, replicas, creates]) {
      parts.push(await part(setup, counts))
      counts.say(parts.at(-1)!.measured)
    }
    return together(...parts)
  },
}

async function lifeOfOne(setup: ManagedCluster): Promise<Outcome> {
  const edge = () => setup.ask<Gateway>('get', 'gateway', 'edge')
  const podUids = async () => (await setup.pods('edge')).map(({ metadata }) => metadata.uid)
  const created = await setup.create('edge')
  if (created.code !== 0) return failed('create', created)
  const { uid } = (await edge()).metadata
  const answer = await setup.callEcho('edge', 'echo', 'from a pod')
  const [pod] = await setup.pods('edge')

  await setup.ask('create', 'server', 'again', '--command', 'node /servers/echo.ts')
  await until('the second server', async () => (await setup.toolsOf('edge', 'again')).includes('echo'), 60_000)
  const isKept = (await podUids()).join() === pod!.metadata.uid

  await setup.cluster.admin.delete(`/api/v1/namespaces/mcpg-default-default-shared/pods/${pod!.metadata.name}`)
  await until('another pod', async () => (await podUids()).some((one) => one !== pod!.metadata.uid), 90_000)
  const isOnline = async () => (await edge()).status.connection === 'online'
  await until('the gateway, again', async () => (await podUids()).length === 1 && (await isOnline()), 90_000)
  const back = await until('its tool', async () => (await setup.callEcho('edge', 'echo', 'again')) === 'again', 60_000)
  const isSame = (await edge()).metadata.uid === uid

  const [before] = await podUids()
  const updated = await setup.create('edge', '--size', 'm')
  if (updated.code !== 0) return failed('update', updated)
  const isUpdated = (await podUids()).join() !== before && (await edge()).metadata.uid === uid

  const deleted = await setup.remove(pod!.metadata.name.replace(/-0$/, ''))
  const left = await setup.nothingLeft()
  return {
    measured: `called: ${answer}; config changed, same pod: ${isKept}; pod deleted, same gateway: ${isSame}, serves: ${back}; updated in place, same gateway: ${isUpdated}; deleted, left: ${left.length}`,
    ok: answer === 'from a pod' && isKept && isSame && isUpdated && deleted.code === 0 && left.length === 0,
  }
}

async function replicas(setup: ManagedCluster): Promise<Outcome> {
  const created = await setup.create('pair', '--replicas', '2')
  if (created.code !== 0) return failed('two replicas', created)
  const pods = (await setup.pods('pair')).map(({ metadata }) => metadata.name)
  const answers = await Promise.all(pods.map((name) => setup.callEcho(name, 'echo', name)))
  const deleted = await setup.remove(pods[0]!.replace(/-\d$/, ''))
  const left = await setup.nothingLeft()
  return {
    measured: `two replicas: ${answers.length} gateways serve; deleted, left: ${left.length}`,
    ok: answers.length === 2 && answers.join() === pods.join() && deleted.code === 0 && left.length === 0,
  }
}

/** From the request to the end of the command that waits for ready; one after the other, as there is one node. */
async function creates(setup: ManagedCluster, counts: Counts): Promise<Outcome> {
  const times: number[] = []
  const rounds = count(counts, 20, 3)
  for (let n = 0; n < rounds; n++) {
    const started = performance.now()
    const created = await setup.create(`edge-${n}`)
    if (created.code !== 0) return failed(`create ${n}`, created)
    times.push(performance.now() - started)
    counts.say(`create ${n}: ${Math.round(times.at(-1)!)} ms`)
    const [pod] = await setup.pods(`edge-${n}`)
    const deleted = await setup.remove(pod!.metadata.name.replace(/-0$/, ''))
    if (deleted.code !== 0) return failed(`delete ${n}`, deleted)
  }
  times.sort((a, b) => a - b)
  const [median, worst] = [times[times.length >> 1]!, times.at(-1)!].map((ms) => ms / 1000)
  return {
    measured: `${rounds} creates: median ${median!.toFixed(1)} s, worst ${worst!.toFixed(1)} s from command to ready`,
    ok: median! <= 15 && worst! <= 60,
  }
}

const failed = (what: string, { code, stdout, stderr }: { code: number | null; stdout: string; stderr: string }): Outcome => ({
  measured: `${what} ended with ${code}: ${`${stderr} ${stdout}`.trim().slice(-300)}`,
  ok: false,
})
