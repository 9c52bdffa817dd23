import { Button } from '@mantine/core'
import type { FormEvent } from 'react'
import { SchemaForm } from '../form/schema-form.tsx'
import { useForm } from '../form/use-form.ts'
import { answers, type Question } from '../result/question.ts'
import styles from './questions.module.css'

/** A form the server wants filled in; the same fields as a tool's own arguments. */
export function FormQuestion({
  question,
  onAnswer,
}: {
  question: Extract<Question, { kind: 'form' }>
  onAnswer: (response: unknown) => void
}) {
  const state = useForm(question.form)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (state.attempt()) onAnswer(answers.accepted(state.args))
  }
  return (
    <form className={styles.question} onSubmit={submit} aria-label={question.message || 'A form of the server'}>
      <p className={styles.message}>{question.message}</p>
      <SchemaForm form={question.form} editor={state.editor} empty="It only wants a yes or a no." />
      <div className={styles.buttons}>
        <Button type="submit" size="xs">
          Send the answer
        </Button>
        <Button variant="default" size="xs" onClick={() => onAnswer(answers.declined())}>
          Decline
        </Button>
      </div>
    </form>
  )
}
