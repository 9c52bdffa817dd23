import { Button, Checkbox, NativeSelect, SegmentedControl } from '@mantine/core'
import { useRef, useState, type FormEvent, type KeyboardEvent } from 'react'
import { Note } from '../../../components/note.tsx'
import { plural } from '../../../lib/format.ts'
import { useStoredFlag } from '../../../lib/stored-flag.ts'
import { closeRaw, openRaw, rawProblem } from '../form/draft.ts'
import type { GroupField } from '../form/field.ts'
import { SchemaForm } from '../form/schema-form.tsx'
import type { FormState } from '../form/use-form.ts'
import styles from './call.module.css'
import type { Start } from './use-calls.ts'

type CallForm = {
  form: GroupField
  state: FormState
  gateways: string[] // that serve the tool
  isDestructive: boolean // as its server claims
  isRunning: boolean
  onCall: (start: Start) => void
}

/** Asks for the arguments and calls. What the schema forbids stops the first attempt; whoever wants to see the server's own word calls anyway. */
export function CallForm({ form, state, gateways, isDestructive, isRunning, onCall }: CallForm) {
  const [gateway, setGateway] = useState('')
  const [mustNotAsk, setMustNotAsk] = useStoredFlag('mcpg-tool-must-not-ask')
  const element = useRef<HTMLFormElement>(null)
  const { editor, violations } = state
  const isRaw = editor.draft.raw !== undefined
  const call = () => onCall({ args: state.args, gateway: gateways.includes(gateway) ? gateway : '', mayAsk: !mustNotAsk })
  const submit = (event?: FormEvent) => {
    event?.preventDefault()
    if (isRunning) return
    if (state.attempt()) return call()
    const pointer = violations[0]?.pointer ?? ''
    const selector = isRaw ? '[data-pointer=""]' : `[data-pointer="${CSS.escape(pointer)}"]`
    element.current?.querySelector<HTMLElement>(selector)?.focus()
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) submit()
  }
  return (
    <form className={styles.form} ref={element} onSubmit={submit} onKeyDown={onKeyDown} aria-label="Arguments" noValidate>
      <SegmentedControl
        size="xs"
        w="fit-content"
        aria-label="How to write the arguments"
        data={[
          { value: 'form', label: 'Form' },
          { value: 'json', label: 'JSON' },
        ]}
        value={isRaw ? 'json' : 'form'}
        onChange={(view) => editor.change((draft) => (view === 'json' ? openRaw(form, draft) : closeRaw(draft)))}
      />
      <SchemaForm form={form} editor={editor} empty="This tool takes no arguments." />
      {isRaw && state.wasAttempted && violations.some((one) => one.pointer !== '') && (
        <Note tone="red" title={`${plural(violations.length, 'thing')} the schema does not allow`} isAlert>
          <ul className={styles.wrong}>
            {violations.map((one) => (
              <li key={one.pointer}>
                <code>{one.pointer || '/'}</code> {one.message}
              </li>
            ))}
          </ul>
        </Note>
      )}
      <div className={styles.options}>
        {gateways.length > 1 && (
          <NativeSelect
            label="Gateway"
            description={`${gateways.length} serve this tool`}
            maw={320}
            data={[{ value: '', label: 'Any that serves it' }, ...gateways]}
            value={gateways.includes(gateway) ? gateway : ''}
            onChange={(event) => setGateway(event.currentTarget.value)}
          />
        )}
        <Checkbox
          label="Answer questions of the server"
          description="Declares that it may ask (elicitation, sampling). Some servers start a process of their own for such a call."
          checked={!mustNotAsk}
          onChange={(event) => setMustNotAsk(!event.currentTarget.checked)}
        />
        {isDestructive && <Note tone="amber" title="The server says that this tool may destroy something" />}
        <div className={styles.buttons}>
          <Button type="submit" disabled={isRunning}>
            Call
          </Button>
          {state.wasAttempted && violations.length > 0 && !rawProblem(editor.draft) && (
            <Button variant="default" disabled={isRunning} onClick={call}>
              Call anyway
            </Button>
          )}
          <span className={styles.keys}>Ctrl Enter calls, too.</span>
        </div>
      </div>
    </form>
  )
}
