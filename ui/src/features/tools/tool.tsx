import { useMemo, useState } from 'react'
import { Link, useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { ObjectPage } from '../../components/object-page.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { PageStack } from '../../components/stack.tsx'
import { ToolClaims } from '../../components/tool-claims.tsx'
import { useObjects } from '../../lib/live/use-objects.ts'
import { toolView, type ToolView } from '../../lib/objects/tool.ts'
import { serverPath } from '../../lib/pages.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import { CallForm } from './call/call-form.tsx'
import { CallHistory } from './call/call-history.tsx'
import { CallResult } from './call/call-result.tsx'
import styles from './call/call.module.css'
import { curlOf } from './call/curl.ts'
import { useCalls, type Call } from './call/use-calls.ts'
import { formOf } from './form/field.ts'
import { useForm } from './form/use-form.ts'
import { Definition } from './definition.tsx'

/** One tool: what it takes as a form, what it answers, and what was called here before. */
export function Tool() {
  const { server = '', name = '' } = useParams()
  const { items, error } = useObjects('Tool', toolView)
  const href = useHref()
  const tool = items?.find((one) => one.server === server && one.name === name)
  return (
    <ObjectPage
      title={name}
      parent={{ label: server, path: serverPath(server) }}
      one={tool}
      items={items}
      error={error}
      missing={`${server} offers no tool ${name}`}
      gone={
        <>
          Its gateways report tools once it is ready. <Link to={href(serverPath(server))}>How is {server}?</Link>
        </>
      }
    >
      {(tool) => <ToolPage key={tool.exposedName} tool={tool} />}
    </ObjectPage>
  )
}

function ToolPage({ tool }: { tool: ToolView }) {
  const { org, workspace } = useScope()
  const form = useMemo(() => formOf(tool.inputSchema), [tool.inputSchema])
  const state = useForm(form)
  const { calls, start, answer, cancel, giveUp } = useCalls(tool)
  const [chosen, setChosen] = useState<number>()
  const shown = calls.find((one) => one.id === chosen) ?? calls[0]
  const target = { scope: { org, workspace }, server: tool.server, gateway: '' }
  const request = { id: 1, tool: tool.name, schema: tool.inputSchema, args: state.args, mayAsk: false }
  const choose = (call: Call) => {
    setChosen(call.id)
    state.replace({ value: call.args, texts: {}, raw: undefined })
  }
  return (
    <>
      <PageHead
        title={tool.name}
        parent={{ label: tool.server, path: serverPath(tool.server) }}
        badges={<ToolClaims claims={tool.claims} />}
        actions={
          <ShowCli
            commands={[
              { what: 'The same call', command: curlOf(location.origin, target, request), isScoped: true },
              { what: 'Its definition', command: `mcpg-ctl get tool ${tool.exposedName} -o yaml` },
            ]}
          />
        }
      >
        {tool.title && tool.title !== tool.name ? `${tool.title}. ` : ''}
        <span className={styles.description}>{tool.description}</span>
      </PageHead>
      <PageStack>
        <div className={styles.columns}>
          <Card title="Arguments">
            <CallForm
              form={form}
              state={state}
              gateways={tool.gateways}
              isDestructive={tool.claims.includes('destructive')}
              isRunning={calls.some((one) => one.isRunning)}
              onCall={(wanted) => setChosen(start(wanted))}
            />
          </Card>
          <Card title="Result">
            {shown ? (
              <CallResult
                key={shown.id}
                call={shown}
                onAnswer={(responses, requestState) => answer(shown, responses, requestState)}
                onCancel={() => cancel(shown.id)}
                onGiveUp={() => giveUp(shown.id)}
              />
            ) : (
              <p className={styles.quiet}>Nothing was called yet.</p>
            )}
          </Card>
        </div>
        {calls.length > 0 && (
          <Card title="Calls of this page" count={calls.length} isFlush>
            <CallHistory calls={calls} chosen={shown?.id} onChoose={choose} />
          </Card>
        )}
        <Card>
          <Definition tool={tool} />
        </Card>
      </PageStack>
    </>
  )
}
