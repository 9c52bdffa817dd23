import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useScope } from '../../lib/scope.ts'
import { LevelCard } from './level-card.tsx'
import { levels } from './levels.ts'

/** Organizations, the workspaces of the chosen one, and the environments of the chosen workspace. */
export function Orgs() {
  const scope = useScope()
  return (
    <>
      <PageHead title="Organizations" actions={<ShowCli commands={levels.flatMap(({ commands }) => commands(scope))} />} />
      <PageStack>
        {levels.map((level) => (
          <LevelCard key={level.noun} level={level} scope={scope} />
        ))}
      </PageStack>
    </>
  )
}
