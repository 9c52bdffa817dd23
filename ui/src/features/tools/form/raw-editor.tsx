import { Textarea } from '@mantine/core'
import { rawProblem, writeRaw } from './draft.ts'
import styles from './form.module.css'
import type { Editor } from './use-form.ts'

/** The whole as one JSON text. What is wrong with it stands under it, field by field. */
export function RawEditor({ text, editor }: { text: string; editor: Editor }) {
  return (
    <Textarea
      label="Arguments as JSON"
      classNames={{ input: styles.code! }}
      autosize
      minRows={8}
      maxRows={24}
      spellCheck={false}
      data-pointer=""
      value={text}
      error={rawProblem(editor.draft) ?? editor.problemAt('')}
      onChange={(event) => {
        const { value } = event.currentTarget
        editor.change((draft) => writeRaw(draft, value))
      }}
    />
  )
}
