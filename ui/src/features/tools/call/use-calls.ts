import { useEffect, useRef, useState } from 'react'
import type { ToolView } from '../../../lib/objects/tool.ts'
import { useScope } from '../../../lib/scope.ts'
import { callTool, type Notice, type Outcome } from './call-tool.ts'

/** One call of this page. `ms` is the time of its requests, without the time somebody took to answer. */
export type Call = {
  id: number
  startedAt: number // ms since 1970
  args: Record<string, unknown>
  gateway: string
  mayAsk: boolean
  isRunning: boolean
  runningSince: number // performance.now()
  rounds: number // of questions answered
  ms: number
  notices: Notice[]
  outcome: Outcome | undefined
}

export type Start = Pick<Call, 'args' | 'gateway' | 'mayAsk'>

/** Kept with their results; older ones go. */
const maxCalls = 20
/** Of one call; a tool may report progress thousands of times. */
const maxNotices = 200

/** The calls of one tool while its page is open; leaving the page cancels what runs. */
export function useCalls(tool: Pick<ToolView, 'server' | 'name' | 'inputSchema'>) {
  const { org, workspace } = useScope()
  const [calls, setCalls] = useState<Call[]>([])
  const running = useRef(new Map<number, AbortController>())
  const lastId = useRef(0)
  useEffect(() => {
    const open = running.current
    return () => open.forEach((one) => one.abort())
  }, [])

  const change = (id: number, update: (call: Call) => Call) =>
    setCalls((before) => before.map((one) => (one.id === id ? update(one) : one)))

  async function request(call: Call, answer?: { inputResponses: Record<string, unknown>; requestState: string | undefined }) {
    const controller = new AbortController()
    running.current.set(call.id, controller)
    const begun = performance.now()
    const outcome = await callTool(
      { scope: { org, workspace }, server: tool.server, gateway: call.gateway },
      {
        id: call.id,
        tool: tool.name,
        schema: tool.inputSchema,
        args: call.args,
        mayAsk: call.mayAsk,
        ...(answer ? { inputResponses: answer.inputResponses } : {}),
        ...(answer?.requestState === undefined ? {} : { requestState: answer.requestState }),
      },
      {
        signal: controller.signal,
        onNotice: (notice) => change(call.id, (one) => ({ ...one, notices: [...one.notices, notice].slice(-maxNotices) })),
      },
    )
    running.current.delete(call.id)
    const ms = performance.now() - begun
    change(call.id, (one) => ({ ...one, isRunning: false, ms: one.ms + ms, outcome }))
  }

  return {
    calls,
    start: ({ args, gateway, mayAsk }: Start) => {
      const call: Call = {
        id: ++lastId.current,
        startedAt: Date.now(),
        args,
        gateway,
        mayAsk,
        isRunning: true,
        runningSince: performance.now(),
        rounds: 0,
        ms: 0,
        notices: [],
        outcome: undefined,
      }
      setCalls((before) => [call, ...before].slice(0, maxCalls))
      void request(call)
      return call.id
    },
    answer: (call: Call, inputResponses: Record<string, unknown>, requestState: string | undefined) => {
      // What waits for the answer lives on the gateway that asked.
      const asked = call.outcome?.kind === 'result' && call.outcome.gateway ? call.outcome.gateway : call.gateway
      change(call.id, (one) => ({ ...one, isRunning: true, runningSince: performance.now(), rounds: one.rounds + 1, outcome: undefined }))
      void request({ ...call, gateway: asked }, { inputResponses, requestState })
    },
    cancel: (id: number) => running.current.get(id)?.abort(),
    giveUp: (id: number) => change(id, (one) => ({ ...one, outcome: { kind: 'cancelled' } })),
  }
}

/** How a call stands, as one word for marks and lists. */
export function stateOf({ isRunning, outcome }: Call): 'running' | 'asks' | 'answered' | 'tool_error' | 'failed' | 'refused' | 'cancelled' {
  if (isRunning || !outcome) return 'running'
  if (outcome.kind !== 'result') return outcome.kind
  if (outcome.result['resultType'] === 'input_required') return 'asks'
  return outcome.result['isError'] === true ? 'tool_error' : 'answered'
}
