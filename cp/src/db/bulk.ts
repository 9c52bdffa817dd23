import type { Violation } from '@mcpg/proto/errors'
import type { ExceededQuota } from '@mcpg/proto/rest/quotas'

/** One row of the audit trail. `detail` is JSON text and never holds a value of a spec. */
export type AuditRow = {
  id: string
  at: string
  org: string | null
  workspace: string | null
  actor: string
  actorKind: string
  action: string
  kind: string | null
  name: string | null
  uid: string | null
  source: string | null
  requestId: string | null
  detail: string | null
  impersonator: string | null
  beforeDigest: string | null
  afterDigest: string | null
}

/** Rows of one organization get their place in its chain, and the last of them a signature. */
export type SealBatch = {
  links: { id: string; seq: number; hash: string }[]
  seal: { org: string; kind: string; seq: number; hash: string; at: string; detail: string; signature: Uint8Array; keyId: string }
}

/** What an object looks like in the `resources` table, without what the transaction decides (its `resourceVersion`). */
export type ResourceRow = {
  uid: string
  scope: string
  kind: string
  name: string
  spec: string
  specVersion: number
  labels: string
  annotations: string
  digest: string
  generation: number
  createdAt: string
  updatedAt: string
}

/** One version of one key of a secret, sealed under a data key. */
export type SecretValueRow = {
  name: string
  key: string
  version: number
  secretUid: string
  dataKeyId: string
  sealed: Uint8Array
  createdAt: string
}

/**
 * One change of a batch. `feed` is the scope whose numbers it gets. `was` is the version the plan was made from (null: there was none); the batch is stale when the table says
 * otherwise. `object` is the envelope as JSON text without its resourceVersion, for the watch history.
 */
export type ResourceChange = {
  type: 'ADDED' | 'MODIFIED' | 'DELETED'
  feed: string
  was: number | null
  row: ResourceRow
  labels: [key: string, value: string][]
  refs: { scope: string; kind: string; name: string; part: string; pointer: string }[]
  /** Parts of it that others may refer to. */
  parts: string[]
  /** New values that are kept beside it. */
  values: SecretValueRow[]
  object: string
  audit: AuditRow
}

/** An atomic batch, of one scope or of several. */
export type ResourceBatch = { at: string; changes: ResourceChange[] }

export type BatchOutcome =
  | { outcome: 'committed'; versions: number[] }
  | { outcome: 'stale'; kind: string; name: string }
  | { outcome: 'refused'; reason: 'reference_missing' | 'still_referenced'; violations: (Violation & { index: number })[] }

/** One generation of one gateway as it stands in `assignments`. */
export type AssignmentRow = {
  gatewayId: string
  generation: number
  configHash: string
  signedHeader: Uint8Array
  signature: Uint8Array
  signingKeyId: string
  probationMs: number
  force: boolean
  changeSeq: number
  createdAt: string
  state: string
  reason: string | null
  message: string | null
  stateAt: string | null
  cause: string | null
}

/**
 * What one compile leads to, all or nothing: holds it lifted, generations it replaces, documents and server revisions where they are
 * not known yet, and the new generations. `prune` names gateways of whose history only the newest `keep` may stay.
 */
export type ConfigBatch = {
  at: string
  lifted: { gatewayId: string; serverUid: string }[]
  replaced: { gatewayId: string; generation: number }[]
  documents: { hash: string; bytes: Uint8Array }[]
  revisions: { serverUid: string; subHash: string; entry: string }[]
  assignments: AssignmentRow[]
  prune: { keep: number; gateways: { gatewayId: string; generation: number }[] }
}

/** A revision that one gateway refused; `evidence` is JSON text. What is held already stays as it is. */
export type HoldRow = {
  gatewayId: string
  serverUid: string
  subHash: string
  server: string
  reason: string
  message: string
  since: string
  evidence: string
}

/** What a gateway reported, as rows. Each replaces what stood there; one about a gateway that is gone does nothing. */
export type ReportWrite =
  | { op: 'gateway'; id: string; values: GatewayColumns }
  | { op: 'lastSeen'; ids: string[]; at: string }
  | { op: 'server'; gatewayId: string; server: string; status: string; inventoryHash: string | null; updatedAt: string }
  | { op: 'serverGone'; gatewayId: string; server: string }
  | { op: 'proven'; gatewayId: string; servers: readonly { server: string; serverUid: string; subHash: string }[]; updatedAt: string }
  | { op: 'inventory'; hash: string; body: string; createdAt: string }
  | {
      op: 'assignment'
      gatewayId: string
      generation: number
      state: string
      reason: string | null
      message: string | null
      stateAt: string | null
    }
  | { op: 'confirmed'; gatewayId: string; at: string }
  | { op: 'event'; row: EventRow }
  | { op: 'eventGone'; id: string }

/** An object event as it stands in `events`; `scope` is `org/workspace`. */
export type EventRow = {
  id: string
  scope: string
  environment: string | null
  kind: string
  name: string
  reason: string
  warning: boolean
  message: string
  server: string | null
  gateway: string | null
  count: number
  firstAt: string
  lastAt: string
}

/** An event of a gateway as it stands in `gateway_audit`. */
export type GatewayAuditRow = {
  id: string
  gatewayId: string
  seq: number
  at: string
  org: string
  workspace: string
  gateway: string
  actor: string
  verified: boolean
  action: string
  server: string | null
  target: string | null
  session: string | null
  client: string | null
  outcome: string
  requestId: string | null
  bytes: Uint8Array<ArrayBuffer>
  hash: string
}

/** A run of events without a gap; it replaces the one that began with the same number. */
export type GatewayAuditRun = {
  gatewayId: string
  began: number
  org: string
  gateway: string
  because: string
  first: number
  before: string
  through: number
  hash: string
  removed: number
  dropped: number
  at: string
  signature: Uint8Array<ArrayBuffer>
  keyId: string
}

/** Events of some gateways and how far their runs go now. */
export type GatewayAuditBatch = { rows: GatewayAuditRow[]; runs: GatewayAuditRun[] }

/** The columns of `gateways` that change while it is connected. */
export type GatewayColumns = {
  connection: string
  connectionChangedAt: string
  lastSeenAt: string | null
  description: string | null
  descriptionHash: string | null
  sessionEpoch: number
  bootId: string | null
  appliedHash: string | null
  lkgHash: string | null
  highestGeneration: number
}

/** What stands in `operations` when one begins; one that is over before (`finishedAt`) has no `activeKey`. */
export type NewOperation = {
  id: string
  org: string
  workspace: string
  environment: string
  kind: string
  gateway: string
  gatewayUid: string
  /** Where it is known before anything is reserved. */
  clusterId: string | null
  activeKey: string | null
  state: string
  phase: string
  step: string
  leaseOwner: string | null
  leaseUntil: string | null
  input: string
  errorReason: string | null
  errorMessage: string | null
  startedBy: string
  finishedAt: string | null
}

/**
 * The beginning of an operation on a managed gateway. `candidates` are clusters, the best first, of which one must have what the
 * reservation says; `{cluster}` in the text of an event becomes the name of that one. `gateway`: whether its row is made, stands there, or
 * stands there and is being deleted.
 */
export type OperationStart = {
  at: string
  operation: NewOperation
  events: { phase: string; step: string; status: string; message: string; data: string | null }[]
  candidates: { id: string; name: string }[]
  reservation: { id: string; gateways: number; cpuMillicores: number; memoryBytes: number; expiresAt: string } | null
  gateway: 'new' | 'known' | 'deleting'
  /** Instance uid of the gateway that stands there, where the operation is about the one that takes its place. */
  knownUid?: string
  /** What a new one is deployed with, as JSON. */
  parameters: string
  /** The host name that it is to have. */
  hostname: string | null
  audit: AuditRow
  /** What the same request is answered when it comes again. */
  answer: KeptAnswer | null
}

/** The answer to a request with an `Idempotency-Key`, as JSON. */
export type KeptAnswer = { scope: string; key: string; requestDigest: string; body: string; createdAt: string }

export type StartOutcome =
  | { outcome: 'started'; clusterId: string | null }
  | { outcome: 'full' }
  /** More than a quota allows. */
  | { outcome: 'quota'; exceeded: ExceededQuota[] }
  | { outcome: 'in_progress'; operationId: string }
  /** The gateway came or went since the plan was made. */
  | { outcome: 'changed' }
  | { outcome: 'name_in_use' }
  | { outcome: 'hostname_in_use' }
  | { outcome: 'no_environment' }

/** Work of the writer thread, one at a time, each in one transaction. */
export type BulkRequest =
  | { op: 'applyResources'; batch: ResourceBatch }
  | { op: 'appendAudit'; rows: AuditRow[] }
  | { op: 'sealAudit'; batch: SealBatch }
  | { op: 'appendGatewayAudit'; batch: GatewayAuditBatch }
  | { op: 'recordConfigs'; batch: ConfigBatch }
  | { op: 'insertHolds'; rows: HoldRow[] }
  | { op: 'writeReports'; writes: ReportWrite[] }
  | { op: 'startOperations'; starts: OperationStart[] }
export type BulkReply = { ok: true; value: unknown } | { ok: false; code: string | undefined; message: string }
