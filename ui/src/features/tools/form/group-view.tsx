import { frameOf, type FieldProps, type RenderField } from './frame.tsx'
import styles from './form.module.css'

/** The fields of an object in the object. */
export function GroupView({ field, path, editor, label, render }: FieldProps<'group'> & { render: RenderField }) {
  const { description, error } = frameOf(field, path, editor, label)
  return (
    <fieldset className={styles.group}>
      <legend>
        {label ?? field.label}
        {field.isRequired ? '' : <small> optional</small>}
      </legend>
      {description && <p className={styles.hint}>{description}</p>}
      {error && <p className={styles.error}>{error}</p>}
      <div className={styles.fields}>{field.fields.map((one) => render(one, [...path, one.key]))}</div>
    </fieldset>
  )
}
