import { Checkbox, NativeSelect, Textarea, TextInput } from '@mantine/core'
import { valueAt, pointerOf, type Path } from './place.ts'
import { fits } from './check.ts'
import { chosen, isSame, textAt, typed } from './draft.ts'
import type { Choice, Field } from './field.ts'
import styles from './form.module.css'
import { frameOf, type FieldProps, type RenderField } from './frame.tsx'
import { GroupView } from './group-view.tsx'
import { ListView } from './list-view.tsx'
import type { Editor } from './use-form.ts'

/** The one field for one value. A value that its field cannot show is shown as JSON. */
export function FieldView({ field, path, editor, label }: { field: Field; path: Path; editor: Editor; label?: string }) {
  const props = { path, editor, ...(label === undefined ? {} : { label }) }
  const render: RenderField = (inner, at, name) => (
    <FieldView key={pointerOf(at)} field={inner} path={at} editor={editor} {...(name === undefined ? {} : { label: name })} />
  )
  if (!fits(field, valueAt(editor.draft.value, path))) return <JsonField {...props} field={asJson(field)} />
  switch (field.kind) {
    case 'text':
      return <TextField {...props} field={field} />
    case 'number':
      return <NumberField {...props} field={field} />
    case 'choice':
      return <ChoiceField {...props} field={field} />
    case 'choices':
      return <ChoicesField {...props} field={field} />
    case 'list':
      return <ListView {...props} field={field} render={render} />
    case 'group':
      return <GroupView {...props} field={field} render={render} />
    case 'json':
      return <JsonField {...props} field={field} />
  }
}

const asJson = (field: Field) => ({ ...field, kind: 'json' as const, why: 'The value here is of another type than the schema says.' })

/** What every control of a field does. */
function controlOf(field: Field, path: Path, editor: Editor) {
  return {
    value: textAt(editor.draft, field, path),
    onChange: (event: { currentTarget: { value: string } }) => {
      const { value } = event.currentTarget
      editor.change((draft) => typed(draft, field, path, value))
    },
    onBlur: () => editor.leave(pointerOf(path)),
    'data-pointer': pointerOf(path),
  }
}

function TextField({ field, path, editor, label }: FieldProps<'text'>) {
  const props = { ...frameOf(field, path, editor, label), ...controlOf(field, path, editor) }
  return field.isLong ? <Textarea {...props} autosize minRows={1} maxRows={14} /> : <TextInput {...props} />
}

function NumberField({ field, path, editor, label }: FieldProps<'number'>) {
  return (
    <TextInput
      {...frameOf(field, path, editor, label)}
      {...controlOf(field, path, editor)}
      inputMode={field.isInteger ? 'numeric' : 'decimal'}
      w="100%"
      maw={260}
    />
  )
}

function ChoiceField({ field, path, editor, label }: FieldProps<'choice'>) {
  const { choices } = field
  const at = choices.findIndex((one) => isSame(one.value, valueAt(editor.draft.value, path)))
  const none = { value: '', label: field.isRequired ? 'Choose…' : 'Not set' }
  return (
    <NativeSelect
      {...frameOf(field, path, editor, label)}
      data={[none, ...choices.map((one, index) => ({ value: String(index), label: one.label }))]}
      maw={420}
      value={at < 0 ? '' : String(at)}
      data-pointer={pointerOf(path)}
      onBlur={() => editor.leave(pointerOf(path))}
      onChange={(event) => {
        const { value } = event.currentTarget
        editor.change((draft) => chosen(draft, path, value === '' ? undefined : choices[Number(value)]?.value))
      }}
    />
  )
}

function ChoicesField({ field, path, editor, label }: FieldProps<'choices'>) {
  const value = valueAt(editor.draft.value, path)
  const picked: unknown[] = Array.isArray(value) ? value : []
  const isPicked = (choice: Choice) => picked.some((one) => isSame(one, choice.value))
  const toggle = (choice: Choice, isOn: boolean) => {
    const next = field.choices.filter((one) => (one === choice ? isOn : isPicked(one))).map((one) => one.value)
    editor.change((draft) => chosen(draft, path, next.length === 0 && !field.isRequired ? undefined : next))
  }
  return (
    <Checkbox.Group
      {...frameOf(field, path, editor, label)}
      value={field.choices.flatMap((one, index) => (isPicked(one) ? [String(index)] : []))}
    >
      <div className={styles.choices} data-pointer={pointerOf(path)} tabIndex={-1}>
        {field.choices.map((choice, index) => (
          <Checkbox
            key={choice.label}
            value={String(index)}
            label={choice.label}
            onChange={(event) => toggle(choice, event.currentTarget.checked)}
          />
        ))}
      </div>
    </Checkbox.Group>
  )
}

function JsonField({ field, path, editor, label }: FieldProps<'json'>) {
  return (
    <Textarea
      {...frameOf(field, path, editor, label)}
      {...controlOf(field, path, editor)}
      classNames={{ input: styles.code! }}
      placeholder="JSON"
      autosize
      minRows={2}
      maxRows={14}
      spellCheck={false}
    />
  )
}
