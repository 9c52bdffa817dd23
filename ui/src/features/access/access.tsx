import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { useScope } from '../../lib/scope.ts'
import { Bindings } from './bindings.tsx'
import { People } from './people.tsx'
import { Question } from './question.tsx'
import { Roles } from './roles.tsx'

const commands = [
  { what: 'Who has which role', command: 'mcpg-ctl get rolebindings' },
  { what: 'What somebody may do', command: 'mcpg-ctl describe user <e-mail>' },
  { what: 'What you may do', command: 'mcpg-ctl can-i --list' },
  { what: 'Who may do something', command: 'mcpg-ctl can-i edit servers --who' },
]

/** Who may do what in the organization that the page shows. */
export function Access() {
  const scope = useScope()
  return (
    <>
      <PageHead title="Access" actions={<ShowCli commands={commands} />} />
      <PageStack>
        <Question scope={scope} />
        <Bindings scope={scope} />
        <People scope={scope} />
        <Roles scope={scope} />
      </PageStack>
    </>
  )
}
