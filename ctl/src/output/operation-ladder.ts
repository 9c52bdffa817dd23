import { isLastPhase, type OperationEvent } from '@mcpg/proto/rest/operations'
import { amountText } from '@mcpg/proto/rest/quotas'
import type { Context } from '../context.ts'
import { ladder } from './ladder.ts'
import { oneLine, table } from './table.ts'

/** The result of an operation as it comes, on standard output: a ladder on a terminal, else a line for each phase; or each event as JSON. */
export function operationLadder({ env, settings, print }: Pick<Context, 'env' | 'settings' | 'print'>) {
  const isLive = env.isTTY.stdout
  // The ladder of other commands is about progress; here it is what was asked for.
  const out = { ...env, stderr: env.stdout, isTTY: { ...env.isTTY, stderr: isLive } }
  const rungs = ladder({ env: out, settings: { ...settings, quiet: false } })
  let before: OperationEvent | null = null
  return { tell }

  function tell(event: OperationEvent): void {
    if (settings.output === 'ndjson') return print(JSON.stringify(event))
    if (settings.output !== 'table' && settings.output !== 'wide') return
    if (before && before.phase !== event.phase && event.phase !== 'failed') rungs.set(before.phase, 'done', textOf(before))
    if (isLastPhase(event.phase)) end(event)
    else if (isLive || before?.phase !== event.phase) rungs.set(event.phase, 'running', isLive ? textOf(event) : '')
    before = event
  }

  function end(event: OperationEvent): void {
    const isReady = event.phase === 'ready'
    if (!isReady && before) rungs.set(before.phase, 'failed', oneLine(`${before.step}: ${before.message}`))
    rungs.set(event.phase, isReady ? 'done' : 'failed', oneLine(event.message))
    const { endpoints = [], instanceUid } = event.gateway ?? {}
    for (const endpoint of endpoints) print(`\nMCP endpoint  ${endpoint}`)
    // What `provision delete` wants to hear.
    if (endpoints.length > 0) print(`instance uid  ${instanceUid}`)
    const passedOver = event.passedOver ?? []
    if (passedOver.length > 0) print('')
    if (passedOver.length > 0)
      table(
        ['cluster', 'passed over for', 'why'],
        passedOver.map(({ cluster, reason, detail }) => [cluster, reason, detail]),
      ).forEach((line) => print(line))
    const exceeded = event.exceeded ?? []
    if (exceeded.length > 0) print('')
    if (exceeded.length > 0)
      table(
        ['quota', 'used', 'of', 'asked'],
        exceeded.map(({ quota, amount, used, of, asked }) => [quota, ...[used, of, asked].map((value) => amountText(amount, value))]),
      ).forEach((line) => print(line))
  }
}

const textOf = ({ step, message }: OperationEvent): string => oneLine(message === '' ? step : message)
