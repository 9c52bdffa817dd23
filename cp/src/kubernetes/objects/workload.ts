import { mostReplicas } from '../../clusters/group.ts'

/** What Kubernetes sends and takes. Which fields a kind has is checked by its own schema in tests, and by the server. */
export type KubernetesObject = {
  apiVersion: string
  kind: string
  metadata: ObjectMeta
  [field: string]: unknown
}

export type ObjectMeta = {
  name: string
  namespace?: string
  uid?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  ownerReferences?: { apiVersion: string; kind: string; name: string; uid: string }[]
  [field: string]: unknown
}

/** What of a cluster decides how objects are written. */
export type Discovery = {
  /** Of Kubernetes 1.x; those before 20 are refused. */
  minor: number
  podDisruptionBudget: 'policy/v1' | 'policy/v1beta1'
  horizontalPodAutoscaler: 'autoscaling/v2' | 'autoscaling/v2beta2'
  /** Missing where the Gateway API is not installed. */
  httpRoute?: 'gateway.networking.k8s.io/v1' | 'gateway.networking.k8s.io/v1beta1'
}

/** Where a replica keeps its identity and its last-known-good config, and what it installs. */
export type StateVolume =
  | { type: 'claim'; bytes: number; storageClass?: string }
  // Of the node, for trials on clusters without a provisioner: a folder of uid 1000 that gateways share, each in a folder of its own.
  | { type: 'hostPath'; path: string }

/** What routes host names to gateways, by the settings of the cluster. */
export type Routing =
  | { type: 'ingress'; className: string; issuer?: string | undefined }
  // The Gateway of the Gateway API that routes are attached to.
  | { type: 'gateway'; namespace: string; name: string }

/** One managed gateway as Kubernetes runs it. */
export type GatewayWorkload = {
  org: string
  workspace: string
  environment: string
  name: string
  /** Each replica of several has the name of its pod, but for one that was alone before. */
  instanceUid: string
  isolationTier: 'shared' | 'sandboxed' | 'dedicated'
  /** Of somebody else, which is there; else one of the workspace and tier, which comes and goes with its gateways. */
  namespace?: string | undefined
  replicas: number
  /** Its pods enroll by attestation although it is one: it has been several, and its pod stays as it is. */
  attested?: boolean
  /** More than `replicas`: as many at most, by load. */
  maxReplicas?: number | undefined
  /** Of each replica; requested as a whole, so that what is reserved is there. */
  cpuMillicores: number
  memoryBytes: number
  /** By digest where it is known. */
  image: string
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never'
  imagePullSecret?: string
  /** Ports of the control plane: where a gateway enrolls, and where its stream goes, which the answer to the enrollment says. */
  controlPlane: { restPort: number; grpcPort: number }
  /** Null where every replica is a gateway already. With several it holds no secret, and stays for pods on new volumes. */
  enrollmentUrl: string | null
  volume: StateVolume
  /** Networks that its servers may call, as CIDRs; the metadata addresses of clouds never are. */
  egress: string[]
  /** Namespace of the ingress controller. */
  ingressNamespace?: string
  /** By which it is called from outside; routed where `routing` says how. */
  hostname?: string | undefined
  routing?: Routing | undefined
  /** Further names that its endpoint answers to. */
  hosts?: string[]
  /** Of `sandboxed`. */
  runtimeClass?: string
}

/** Pods enroll by what the cluster says of them: where there may be several, and where there were. */
export const isAttested = (workload: Pick<GatewayWorkload, 'replicas' | 'maxReplicas' | 'attested'>): boolean =>
  mostReplicas(workload) > 1 || workload.attested === true

export const endpointPort = 7845
