import type { ReactNode } from 'react'
import type { Field } from './field.ts'
import styles from './form.module.css'
import { pointerOf, type Path } from './place.ts'
import { rulesInWords } from './rules-in-words.ts'
import type { Editor } from './use-form.ts'

export type FieldProps<Kind extends Field['kind']> = { field: Extract<Field, { kind: Kind }>; path: Path; editor: Editor; label?: string }

/** How a field that holds others draws them; handed in, because they may hold fields again. */
export type RenderField = (field: Field, path: Path, label?: string) => ReactNode

/** Name, description, and what is wrong: the same around every field. */
export function frameOf(field: Field, path: Path, editor: Editor, label?: string) {
  const words = [field.description, field.kind === 'json' ? field.why : '', rulesInWords(field)].filter(Boolean)
  return {
    label: label ?? field.label,
    // An item of a list is there, so there is nothing to say about it.
    withAsterisk: field.isRequired && field.key !== '',
    description: words.length > 0 ? <span className={styles.words}>{words.join('\n')}</span> : null,
    error: editor.problemAt(pointerOf(path)) ?? null,
  }
}
