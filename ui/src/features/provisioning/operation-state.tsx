import type { Operation } from '@mcpg/proto/rest/operations'
import { StateWord } from '../../components/state-word.tsx'

/** How an operation is, and of one that runs where it is. */
export function OperationState({ operation }: { operation: Pick<Operation, 'state' | 'phase' | 'step' | 'compensating' | 'error'> }) {
  const { state, phase, step, compensating, error } = operation
  if (state === 'running')
    return <StateWord word="running" tone="blue" reason={compensating ? 'being taken back' : `${phase}: ${step.replaceAll('_', ' ')}`} />
  return <StateWord word={state} reason={state === 'failed' ? error?.reason.replaceAll('_', ' ') : undefined} />
}
