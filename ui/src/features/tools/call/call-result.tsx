import { Button } from '@mantine/core'
import { useMemo } from 'react'
import { Note } from '../../../components/note.tsx'
import { ProblemNote } from '../../../components/problem-note.tsx'
import { clockTime, spellDuration } from '../../../lib/format.ts'
import { JsonTree } from '../result/json-tree.tsx'
import { resultView } from '../result/result-view.ts'
import { ResultViewer } from '../result/result-viewer.tsx'
import type { Outcome } from './call-tool.ts'
import styles from './call.module.css'
import { Elapsed } from './elapsed.tsx'
import { Questions } from './questions.tsx'
import type { Call } from './use-calls.ts'

type CallResult = {
  call: Call
  onAnswer: (responses: Record<string, unknown>, requestState: string | undefined) => void
  onCancel: () => void
  onGiveUp: () => void
}

/** What came of a call, or what it is doing now. */
export function CallResult({ call, onAnswer, onCancel, onGiveUp }: CallResult) {
  const { outcome } = call
  return (
    <div className={styles.result}>
      {call.isRunning && (
        <div className={styles.running} role="status">
          <span>
            Running, <Elapsed since={call.runningSince} />
          </span>
          <Button variant="default" size="xs" onClick={onCancel}>
            Cancel
          </Button>
        </div>
      )}
      {call.notices.length > 0 && <Notices call={call} />}
      {outcome && 'gateway' in outcome && !call.isRunning && (
        <p className={styles.answered} role="status">
          {outcome.gateway ? `${outcome.gateway} answered` : 'Answered'} after {spellDuration(call.ms)}
        </p>
      )}
      {outcome && <OutcomeView key={call.rounds} outcome={outcome} onAnswer={onAnswer} onGiveUp={onGiveUp} />}
    </div>
  )
}

function Notices({ call: { notices, isRunning } }: { call: Call }) {
  const progress = notices.findLast((one) => one.progress !== undefined)?.progress
  return (
    <details className={styles.notices} open={isRunning}>
      <summary>
        {notices.at(-1)?.text}
        {progress !== undefined && isRunning && <progress value={progress} aria-label="Progress" />}
      </summary>
      <ol>
        {notices.map((one, index) => (
          <li key={`${index} ${one.at}`}>
            <time>{clockTime(one.at)}</time> {one.text}
          </li>
        ))}
      </ol>
    </details>
  )
}

function OutcomeView({ outcome, onAnswer, onGiveUp }: { outcome: Outcome } & Pick<CallResult, 'onAnswer' | 'onGiveUp'>) {
  const view = useMemo(() => (outcome.kind === 'result' ? resultView(outcome.result) : undefined), [outcome])
  switch (outcome.kind) {
    case 'result':
      return (
        <>
          {view!.whole['resultType'] === 'input_required' && (
            <Questions questions={view!.questions} onAnswer={(responses) => onAnswer(responses, view!.requestState)} onGiveUp={onGiveUp} />
          )}
          <ResultViewer result={view!} bytes={outcome.bytes} />
        </>
      )
    case 'failed':
      return (
        <>
          <Note tone="red" isAlert title={outcome.message || 'The call failed'}>
            <p>
              JSON-RPC error <code>{outcome.code}</code>
              {meaningOf[outcome.code] ? `: ${meaningOf[outcome.code]}` : ''}
            </p>
          </Note>
          {outcome.data !== undefined && <JsonTree value={outcome.data} label="Data of the error" />}
        </>
      )
    case 'refused':
      return <ProblemNote error={outcome.error} />
    case 'cancelled':
      return (
        <Note tone="gray" title="Cancelled">
          <p>The server was told. What it had done by then stays done.</p>
        </Note>
      )
  }
}

const meaningOf: Record<number, string> = {
  [-32602]: 'the arguments or the name were not accepted',
  [-32601]: 'the server does not know the method',
  [-32603]: 'something broke on the way',
  [-32020]: 'headers and body disagree',
  [-32021]: 'the tool needs a client that can answer questions',
  [-32022]: 'no common protocol version',
}
