import type { GroupField } from './field.ts'
import { FieldView } from './field-view.tsx'
import { argumentsOf } from './draft.ts'
import styles from './form.module.css'
import { RawEditor } from './raw-editor.tsx'
import type { Editor } from './use-form.ts'

/** The fields of a form, or all of it as JSON; `empty` is said where it has none. */
export function SchemaForm({ form, editor, empty }: { form: GroupField; editor: Editor; empty: string }) {
  if (editor.draft.raw !== undefined) return <RawEditor text={editor.draft.raw} editor={editor} />
  const known = new Set(form.fields.map((one) => one.key))
  const others = Object.keys(argumentsOf(form, editor.draft)).filter((key) => !known.has(key))
  return (
    <div className={styles.fields}>
      {form.fields.length === 0 && <p className={styles.hint}>{empty}</p>}
      {form.fields.map((field) => (
        <FieldView key={field.key} field={field} path={[field.key]} editor={editor} />
      ))}
      {others.length > 0 && (
        <p className={styles.hint}>
          Also sent, though the schema does not name it: {others.map((key) => JSON.stringify(key)).join(', ')}. Edit it as JSON.
        </p>
      )}
    </div>
  )
}
