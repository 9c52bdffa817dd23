import type { OperationPhase, OperationKind } from '@mcpg/proto/rest/operations'
import type { Tx } from '../db/db.ts'

/** An operation as its steps see it. */
export type Work = {
  id: string
  kind: OperationKind
  org: string
  workspace: string
  environment: string
  gateway: string
  gatewayUid: string
  clusterId: string | null
  /** What it was asked for. */
  input: unknown
  /** What its steps have noted so far. */
  data: Readonly<Record<string, unknown>>
  /** Aborts when the work must be left (the control plane stops, the lease is lost) or was cancelled. */
  signal: AbortSignal
  /** Keeps something for the steps to come, and for whoever takes over. */
  note(values: Record<string, unknown>): Promise<void>
  /** Asks `look` until it answers something; after `timeoutMs` throws `timeout` saying what `waitingFor` says. */
  until<Found>(look: () => Promise<Found | null> | Found | null, wait: { timeoutMs: number; waitingFor: () => string }): Promise<Found>
}

/**
 * One step. It may be done again from its beginning at any time: after a failure, and after a process that ended in the middle of it.
 * `undo` takes back what was done of it, also when that is nothing.
 */
export type Step = {
  name: string
  phase: Exclude<OperationPhase, 'ready' | 'failed'>
  /** Answers what a person is told. */
  run(work: Work): Promise<string>
  undo?(work: Work): Promise<string>
  /** From here on nothing is taken back: it is not cancelled, and when it fails that is told and the work goes on. */
  final?: boolean
}

/** How operations of a kind are done. */
export type Plan = {
  steps: readonly Step[]
  /** Whether it can be taken back: what was deleted cannot. */
  cancellable: boolean
  /** In the transaction of the last event. */
  succeeded(tx: Tx, work: Work): Promise<void>
  failed(tx: Tx, work: Work): Promise<void>
  /** What the last event says of a success: its step, its text, and where the gateway is. */
  outcome(work: Work): { step: string; message: string; endpoints: string[] }
}

/** The plan of an operation of this kind. */
export type PlanOf = (kind: OperationKind) => Plan
