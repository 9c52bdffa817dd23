import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gatewayRunFile, RunFile } from '@mcpg/proto/run-files'
import type { KubernetesObject } from '../../cp/src/kubernetes/objects/workload.ts'
import { closeLater } from '../harness/cleanup.ts'
import { start, type Program } from '../harness/programs.ts'

type Container = { args: string[]; env: { name: string; value?: string; valueFrom?: unknown }[] }
type Template = {
  metadata: { labels: Record<string, string> }
  spec: { serviceAccountName: string; containers: [Container]; volumes: { name: string; secret?: { secretName: string } }[] }
}
type SetSpec = {
  replicas: number
  template: Template
  volumeClaimTemplates?: { metadata: { name: string; labels: Record<string, string> } }[]
}
type Running = { namespace: string; set: string; template: Template; program: Program; isLeaving: boolean; restarts: number }

/** One node whose pods are processes of this machine: the agent itself, with its volumes in `folder`; as a kubelet it starts again what has ended. */
export function nodeOfProcesses({
  folder,
  controlPlane,
  secretOf,
}: {
  folder: string
  controlPlane: () => { http: string; grpc: string }
  secretOf: (namespace: string, name: string) => string | null
}) {
  const running = new Map<string, Running>()
  const wanted = new Map<string, KubernetesObject>()
  return { run, end, pods, readyOf, review, forgetVolume, processes, endpointOf }

  /** Brings the pods of a set to what it says; answers the claims of their volumes. */
  function run(set: KubernetesObject): KubernetesObject[] {
    const { name, namespace = '' } = set.metadata
    wanted.set(name, set)
    const { replicas, template, volumeClaimTemplates = [] } = specOf(set)
    const names = Array.from({ length: replicas }, (_, ordinal) => `${name}-${ordinal}`)
    for (const [pod, one] of running) {
      const isOld = JSON.stringify(one.template) !== JSON.stringify(template)
      if (one.set === name && (isOld || !names.includes(pod))) leave(one)
    }
    for (const pod of names) if (!running.has(pod)) begin(pod, set)
    return names.flatMap((pod) =>
      volumeClaimTemplates.map(({ metadata: { name: volume, labels } }) => ({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: { name: `${volume}-${pod}`, namespace, labels },
      })),
    )
  }

  function end({ metadata: { name } }: KubernetesObject): void {
    wanted.delete(name)
    for (const one of running.values()) if (one.set === name) leave(one)
  }

  function leave(one: Running): void {
    if (one.isLeaving) return
    one.isLeaving = true
    void one.program.stop()
  }

  function begin(pod: string, set: KubernetesObject, restarts = 0): void {
    const { name, namespace = '' } = set.metadata
    const { template } = specOf(set)
    const program = start(argsOf(pod, template), { stateDir: stateDirOf(pod), env: environmentOf(pod, namespace, template) })
    // Before it is killed at the end: nobody may start it again then.
    closeLater(() => wanted.clear())
    running.set(pod, { namespace, set: name, template, program, isLeaving: false, restarts })
    void program.exited.then(() => {
      running.delete(pod)
      const now = wanted.get(name)
      const isWanted = now !== undefined && Number(pod.slice(name.length + 1)) < specOf(now).replicas
      // A kubelet waits longer each time; what ends at once must not fill this machine.
      if (isWanted)
        setTimeout(
          () => wanted.get(name) === now && !running.has(pod) && begin(pod, now, restarts + 1),
          200 * 2 ** Math.min(restarts, 5),
        ).unref()
    })
  }

  /** As the container says it, on a port and in a folder of this machine. */
  function argsOf(pod: string, { spec }: Template): string[] {
    const [{ args }] = spec.containers
    const given = args.filter(
      (_, index) => !['--bind', '--state-dir'].includes(args[index - 1] ?? '') && !['--bind', '--state-dir'].includes(args[index]!),
    )
    return [...given, '--bind', '127.0.0.1:0', '--state-dir', stateDirOf(pod), '--cp-grpc', controlPlane().grpc]
  }

  function environmentOf(pod: string, namespace: string, { spec }: Template): Record<string, string> {
    const mounts = join(folder, 'mounts', pod)
    mkdirSync(mounts, { recursive: true })
    const [{ env }] = spec.containers
    const has = (name: string) => env.some((one) => one.name === name)
    const uid = env.find(({ name }) => name === 'MCPG_INSTANCE_UID')?.value ?? pod
    const secretName = spec.volumes.find(({ secret }) => secret)?.secret?.secretName ?? ''
    const url = secretOf(namespace, secretName)
    // The network of a cluster leads from the public address to the control plane.
    if (url !== null) writeFileSync(join(mounts, 'url'), controlPlane().http + new URL(url).pathname)
    else rmSync(join(mounts, 'url'), { force: true })
    if (has('MCPG_ATTESTATION_TOKEN_FILE')) writeFileSync(join(mounts, 'token'), tokenOf(namespace, spec.serviceAccountName, pod))
    return {
      MCPG_INSTANCE_UID: uid,
      MCPG_JSON_LOGS: 'true',
      MCPG_ENROLLMENT_URL_FILE: join(mounts, 'url'),
      ...(has('MCPG_ATTESTATION_TOKEN_FILE') && { MCPG_ATTESTATION_TOKEN_FILE: join(mounts, 'token') }),
    }
  }

  function pods(): KubernetesObject[] {
    return [...running].map(([name, { namespace, template, restarts }]) => ({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels: template.metadata.labels },
      status: { phase: 'Running', containerStatuses: [{ restartCount: restarts }] },
    }))
  }

  async function readyOf(set: KubernetesObject): Promise<number> {
    const { template } = specOf(set)
    const own = [...running].filter(
      ([, one]) => one.set === set.metadata.name && !one.isLeaving && JSON.stringify(one.template) === JSON.stringify(template),
    )
    const ready = await Promise.all(own.map(async ([pod]) => await isReady(pod)))
    return ready.filter((one) => one).length
  }

  async function isReady(pod: string): Promise<boolean> {
    const endpoint = endpointOf(pod)
    return (
      endpoint !== null &&
      (await fetch(new URL('/readyz', endpoint)).then(
        ({ ok }) => ok,
        () => false,
      ))
    )
  }

  function endpointOf(pod: string): string | null {
    const path = join(stateDirOf(pod), gatewayRunFile('default'))
    if (!existsSync(path)) return null
    const { pid, endpoints } = RunFile.parse(JSON.parse(readFileSync(path, 'utf8')))
    return pid === running.get(pod)?.program.pid ? (endpoints['mcp'] ?? null) : null
  }

  /** Whose token it is, as long as the pod is there. */
  function review({ spec: { token } }: { spec: { token: string } }) {
    const [namespace = '', account = '', pod = ''] = token.split('/')
    if (running.get(pod)?.namespace !== namespace) return { authenticated: false, error: 'the token is of no pod' }
    const username = `system:serviceaccount:${namespace}:${account}`
    return {
      authenticated: true,
      audiences: ['mcpg-enroll'],
      user: { username, extra: { 'authentication.kubernetes.io/pod-name': [pod] } },
    }
  }

  function forgetVolume(claim: string): void {
    const pod = claim.replace(/^state-/, '')
    if (!running.has(pod)) rmSync(stateDirOf(pod), { recursive: true, force: true, maxRetries: 5 })
  }

  function processes(): { pod: string; pid: number }[] {
    return [...running].map(([pod, { program }]) => ({ pod, pid: program.pid }))
  }

  function stateDirOf(pod: string): string {
    return join(folder, 'volumes', pod)
  }
}

const specOf = (set: KubernetesObject) => set['spec'] as SetSpec
const tokenOf = (namespace: string, account: string, pod: string) => [namespace, account, pod].join('/')
