import { autoscaler, disruptionBudget, isAutoscaled } from './availability.ts'
import { gatewayMeta } from './metadata.ts'
import { fitted, gatewaySelector, workloadName } from './names.ts'
import { namespaceObjects } from './namespace.ts'
import { headlessSuffix, networkPolicy, services } from './network.ts'
import { podTemplate, secretSuffix, tokenKey } from './pod.ts'
import { route } from './route.ts'
import type { Discovery, GatewayWorkload, KubernetesObject } from './workload.ts'

/** Everything of one gateway, in the order in which it is applied: what a pod needs stands before it. */
export function gatewayObjects(workload: GatewayWorkload, discovery: Discovery): KubernetesObject[] {
  return [
    ...namespaceObjects(workload),
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: gatewayMeta(workload), automountServiceAccountToken: false },
    networkPolicy(workload),
    ...services(workload),
    ...enrollmentSecret(workload),
    statefulSet(workload, discovery),
    ...disruptionBudget(workload, discovery),
    ...autoscaler(workload, discovery),
    ...route(workload, discovery),
  ]
}

export const enrollmentSecretName = (instanceUid: string, { attested }: { attested: boolean }) =>
  fitted(`${workloadName(instanceUid)}-${secretSuffix({ replicas: 1, attested })}`)

/** Its owner is the workload, which is known once that is applied: whatever happens to us then, it goes with it. */
export function enrollmentSecret(workload: GatewayWorkload, owner?: KubernetesObject): KubernetesObject[] {
  const { enrollmentUrl } = workload
  if (enrollmentUrl === null) return []
  const meta = gatewayMeta(workload, secretSuffix(workload))
  const { apiVersion, kind, metadata } = owner ?? {}
  const ownerReferences =
    apiVersion && kind && metadata?.uid ? { ownerReferences: [{ apiVersion, kind, name: metadata.name, uid: metadata.uid }] } : {}
  return [
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...meta, ...ownerReferences },
      type: 'Opaque',
      immutable: true,
      data: { [tokenKey]: Buffer.from(enrollmentUrl).toString('base64') },
    },
  ]
}

/** A StatefulSet never runs two pods with one identity, as a Deployment does while it changes. */
function statefulSet(workload: GatewayWorkload, { minor }: Discovery): KubernetesObject {
  const { volume, replicas } = workload
  const metadata = gatewayMeta(workload)
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata,
    spec: {
      // Who scales by load must not be told the number again with each apply.
      ...(isAutoscaled(workload) ? {} : { replicas }),
      serviceName: gatewayMeta(workload, headlessSuffix).name,
      podManagementPolicy: 'Parallel',
      updateStrategy: { type: 'RollingUpdate' },
      revisionHistoryLimit: 3,
      selector: { matchLabels: gatewaySelector(workload.instanceUid) },
      template: podTemplate(workload),
      ...(volume.type === 'claim'
        ? {
            volumeClaimTemplates: [
              {
                apiVersion: 'v1',
                kind: 'PersistentVolumeClaim',
                metadata: { name: 'state', labels: gatewaySelector(workload.instanceUid) },
                spec: {
                  accessModes: ['ReadWriteOnce'],
                  volumeMode: 'Filesystem',
                  resources: { requests: { storage: String(volume.bytes) } },
                  ...(volume.storageClass ? { storageClassName: volume.storageClass } : {}),
                },
              },
            ],
          }
        : {}),
      ...(volume.type === 'claim' && minor >= 27
        ? { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' } }
        : {}),
    },
  }
}
