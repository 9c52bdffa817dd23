import type { Part } from '@mcpg/core/lifecycle'
import type { Violation } from '@mcpg/proto/errors'
import type { ClusterDriver, IsolationTier } from '@mcpg/proto/rest/clusters'
import type { GatewaySize } from '@mcpg/proto/rest/provisioning'

/** What a managed gateway is deployed with. */
export type WorkloadParameters = {
  imageTag: string
  /** What `resolve` answered for it. */
  image?: string | undefined
  replicas: number
  /** By load, from `replicas` on. */
  maxReplicas?: number | undefined
  size: GatewaySize
  customHostname?: string | undefined
}

/** One managed gateway as a driver runs it. */
export type Workload = {
  org: string
  workspace: string
  environment: string
  name: string
  instanceUid: string
  parameters: WorkloadParameters
  /** A one-time URL to enroll with; asked for only where the installation has no identity yet. Throws where it must have one. */
  enrollmentUrl(options?: EnrollmentOptions): Promise<string>
}

export type EnrollmentOptions = {
  /** For another machine than this. */
  isRemote?: boolean
  /** Not a secret, as often as it is asked for, and each pod shows what `attest` looks at. */
  byAttestation?: boolean
  /** The replica that it is for, by its uid; the only one otherwise. */
  replica?: string
}

/** `failed` says why in words that a person can act on, `starting` what it waits for where that is known. */
export type Observed = { state: 'absent' | 'running' } | { state: 'starting'; message?: string } | { state: 'failed'; message: string }

/** The cluster that is meant; `credentialsRef` names what it is reached with. */
export type ClusterRef = { id: string; name: string; isolationTier: IsolationTier; credentialsRef: string | null }

/**
 * The gateways of one cluster. Everything may be asked for again: what is there already stays, what is gone already is fine. Throws
 * McpgError; `unavailable` for what may work later.
 */
export type Workloads = {
  /** What the cluster has, asked now; throws where it cannot be used. */
  probe(): Promise<{ cpuMillicores: number; memoryBytes: number; warnings?: string[] }>
  /**
   * What stands for the tag from now on, as `<tag>@<digest>`; null where that cannot be told, or the tag says it. `before` is what stood for
   * a tag of that name, and stays where it is still meant.
   */
  resolve?(imageTag: string, before?: string): Promise<string | null>
  /** Replicas that are too many end, and could go on as who they were. */
  apply(workload: Workload): Promise<void>
  /** Removes what is left of replicas that are too many, once they are nobody any more. */
  prune(workload: Workload): Promise<void>
  /** What of it is not as an apply would make it, in words; empty for nothing. Missing where that cannot be told. */
  drift?(workload: Workload): Promise<string[]>
  observe(instanceUid: string): Promise<Observed>
  /** Ends it in order, and resolves when it has ended; its identity stays. */
  stop(instanceUid: string): Promise<void>
  /** Ends it and removes everything of it. */
  remove(instanceUid: string): Promise<void>
  /**
   * Which replica of a gateway shows this token; throws `forbidden` where the cluster does not say that it is one. Missing where no cluster
   * says such things.
   */
  attest?(token: string, group: { org: string; workspace: string; instanceUid: string }): Promise<{ instanceUid: string; ordinal: number }>
  /** What a control plane has applied there and not removed, ours or another one's; missing where that cannot be told. */
  list?(): Promise<string[]>
}

/** How gateways run on a sort of cluster. */
export type Driver = {
  kind: ClusterDriver
  /** Whether a cluster is nothing to it before it was given credentials. */
  needsCredentials?: boolean
  /** What it cannot run, by field of the request. */
  check(parameters: WorkloadParameters): Violation[]
  on(cluster: ClusterRef): Workloads
  /** What keeps a cluster with gateways on it from being reached in another way from now on; in words, empty for nothing. */
  unreachableBy?(before: ClusterRef, after: ClusterRef): string[]
  /** Keeps these running where the cluster does not do so by itself. */
  keep?(wanted: () => Promise<Workload[]>): Part
}
