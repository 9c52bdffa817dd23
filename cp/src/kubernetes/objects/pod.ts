import { gatewayMeta, podLabels } from './metadata.ts'
import { workloadName } from './names.ts'
import { containerSecurity, podSecurity } from './restricted.ts'
import { endpointPort, isAttested, type GatewayWorkload } from './workload.ts'

const home = '/var/lib/mcpg'
const tokenFolder = '/run/mcpg/enrollment'
export const tokenKey = 'url'
const attestationFolder = '/run/mcpg/attestation'
/** What the tokens are for by which a cluster attests the pods of a gateway with several replicas, and nothing else takes. */
export const attestationAudience = 'mcpg-enroll'

/** With all that `restricted` pod security asks for. */
export function podTemplate(workload: GatewayWorkload) {
  return {
    metadata: { labels: podLabels(workload) },
    spec: {
      serviceAccountName: workloadName(workload.instanceUid),
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 60,
      securityContext: podSecurity,
      ...(workload.imagePullSecret ? { imagePullSecrets: [{ name: workload.imagePullSecret }] } : {}),
      ...placement(workload),
      containers: [container(workload)],
      volumes: [
        { name: 'tmp', emptyDir: { sizeLimit: '256Mi' } },
        ...(workload.volume.type === 'hostPath' ? [{ name: 'state', hostPath: { path: workload.volume.path, type: 'Directory' } }] : []),
        // Optional, as it is deleted once it was used, and a pod must start again without it.
        {
          name: 'enrollment',
          secret: { secretName: gatewayMeta(workload, secretSuffix(workload)).name, optional: true, defaultMode: 0o440 },
        },
        ...(isAttested(workload) ? [attestationVolume] : []),
      ],
    },
  }
}

export const attestationVolumeName = 'attestation'
const attestationVolume = {
  name: attestationVolumeName,
  projected: {
    defaultMode: 0o440,
    sources: [{ serviceAccountToken: { audience: attestationAudience, expirationSeconds: 600, path: 'token' } }],
  },
}

function container(workload: GatewayWorkload) {
  const { cpuMillicores, memoryBytes, hostname, hosts = [] } = workload
  return {
    name: 'gateway',
    image: workload.image,
    imagePullPolicy: workload.imagePullPolicy ?? 'IfNotPresent',
    args: [
      'gateway',
      '--bind',
      `0.0.0.0:${endpointPort}`,
      '--state-dir',
      `${home}/${stateName(workload)}`,
      ...[...endpointNames(workload), ...(hostname === undefined ? [] : [hostname]), ...hosts].flatMap((host) => ['--allowed-host', host]),
    ],
    env: [
      { name: 'MCPG_JSON_LOGS', value: 'true' },
      { name: 'HOME', value: '/tmp' },
      isAttested(workload)
        ? { name: 'MCPG_INSTANCE_UID', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }
        : { name: 'MCPG_INSTANCE_UID', value: workload.instanceUid },
      // Gone once it was used; a gateway that has an identity does not need it.
      { name: 'MCPG_ENROLLMENT_URL_FILE', value: `${tokenFolder}/${tokenKey}` },
      ...(isAttested(workload) ? [{ name: 'MCPG_ATTESTATION_TOKEN_FILE', value: `${attestationFolder}/token` }] : []),
    ],
    // What a gateway says last is told when it does not start.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    ports: [{ name: 'mcp', containerPort: endpointPort, protocol: 'TCP' }],
    resources: {
      requests: { cpu: `${cpuMillicores}m`, memory: String(memoryBytes) },
      // No limit of the processor: a gateway that may not use an idle one only gets slower.
      limits: { memory: String(memoryBytes) },
    },
    securityContext: containerSecurity,
    startupProbe: { ...probe('/healthz'), periodSeconds: 2, failureThreshold: 150 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 2, failureThreshold: 3 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 6 },
    // What routes to it hears a moment later that it ends; until then it goes on taking calls.
    lifecycle: { preStop: { exec: { command: ['node', '-e', 'setTimeout(() => {}, 5000)'] } } },
    volumeMounts: [
      { name: 'state', mountPath: home },
      { name: 'tmp', mountPath: '/tmp' },
      { name: 'enrollment', mountPath: tokenFolder, readOnly: true },
      ...(isAttested(workload) ? [{ name: attestationVolumeName, mountPath: attestationFolder, readOnly: true }] : []),
    ],
  }
}

/** On one folder of a node each pod has its own; Kubernetes puts its name in where there may be several. */
function stateName(workload: GatewayWorkload): string {
  if (workload.volume.type === 'claim') return 'state'
  return isAttested(workload) ? '$(MCPG_INSTANCE_UID)' : `${workloadName(workload.instanceUid)}-0`
}

/** The endpoint speaks TLS beyond loopback; the kubelet does not look at its certificate. */
const probe = (path: string) => ({ httpGet: { path, port: 'mcp', scheme: 'HTTPS' }, timeoutSeconds: 5 })

function endpointNames(workload: GatewayWorkload): string[] {
  const { name, namespace } = gatewayMeta(workload)
  return [name, `${name}.${namespace}`, `${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`]
}

/** Two names: a node keeps what it once read of an immutable Secret, also when another one is called so by now. */
export const secretSuffix = (workload: Parameters<typeof isAttested>[0]): string => (isAttested(workload) ? 'group' : 'enrollment')

/** Every gateway of an organization on nodes of its own carries its name; stricter runtimes are chosen by class. */
function placement(workload: GatewayWorkload) {
  const { isolationTier, org, runtimeClass, instanceUid } = workload
  return {
    ...(isolationTier === 'sandboxed' ? { runtimeClassName: runtimeClass ?? 'gvisor' } : {}),
    ...(isolationTier === 'dedicated'
      ? {
          nodeSelector: { 'mcpg.dev/dedicated': org },
          tolerations: [{ key: 'mcpg.dev/dedicated', operator: 'Equal', value: org, effect: 'NoSchedule' }],
        }
      : {}),
    ...(isAttested(workload)
      ? {
          topologySpreadConstraints: [
            {
              maxSkew: 1,
              topologyKey: 'kubernetes.io/hostname',
              whenUnsatisfiable: 'ScheduleAnyway',
              labelSelector: { matchLabels: { 'app.kubernetes.io/instance': instanceUid } },
            },
          ],
        }
      : {}),
  }
}
