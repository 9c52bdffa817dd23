import { Ladder as Steps, Rung, RungDetail } from '../../components/ladder.tsx'
import type { Ladder } from './ladder.ts'

/** The way of an agent from the command to online. */
export function LadderView({ ladder }: { ladder: Ladder }) {
  return (
    <Steps hasFailed={ladder.hasFailed}>
      {ladder.rungs.map(({ key, state, title, detail, remedy, at }) => (
        <Rung key={key} name={key} state={state} title={title} at={at}>
          {detail && <RungDetail>{detail}</RungDetail>}
          {remedy && (
            <RungDetail>
              What to do: <b>{remedy}</b>
            </RungDetail>
          )}
        </Rung>
      ))}
    </Steps>
  )
}
