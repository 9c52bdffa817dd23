import { Button } from '@mantine/core'
import { useState } from 'react'
import { Note } from '../../../components/note.tsx'
import { answers, isAnswerable, type Question } from '../result/question.ts'
import { JsonTree } from '../result/json-tree.tsx'
import { AddressQuestion } from './address-question.tsx'
import { CompletionQuestion } from './completion-question.tsx'
import { FormQuestion } from './form-question.tsx'
import styles from './questions.module.css'

type Questions = { questions: Question[]; onAnswer: (responses: Record<string, unknown>) => void; onGiveUp: () => void }

/**
 * What the server wants to know before it goes on. Everything is asked at once and answered one by one; the last answer sends all.
 * The questions are the server's words, so they say whose they are.
 */
export function Questions({ questions, onAnswer, onGiveUp }: Questions) {
  const [given, setGiven] = useState<Record<string, unknown>>({})
  const open = questions.filter((one) => !(one.key in given))
  const answer = (key: string, response: unknown) => {
    const all = { ...given, [key]: response }
    if (questions.every((one) => one.key in all)) onAnswer(all)
    else setGiven(all)
  }
  return (
    <section className={styles.questions} aria-label="The server asks">
      <Note
        tone="blue"
        title={
          questions.length === 1 ? 'The server asks before it goes on' : `The server asks ${questions.length} things before it goes on`
        }
      >
        <p>The call waits for a few minutes. What follows are the server’s words; do not enter passwords here.</p>
      </Note>
      {!isAnswerable(questions) && (
        <Note tone="amber" title="Among them is something this page cannot answer">
          <p>The call can only be given up.</p>
        </Note>
      )}
      {open.map((one) => (
        <QuestionView key={one.key} question={one} onAnswer={(response) => answer(one.key, response)} />
      ))}
      {open.length < questions.length && (
        <p className={styles.count}>
          {questions.length - open.length} of {questions.length} answered.
        </p>
      )}
      <div>
        <Button variant="default" size="xs" onClick={onGiveUp}>
          Give the call up
        </Button>
      </div>
    </section>
  )
}

function QuestionView({ question, onAnswer }: { question: Question; onAnswer: (response: unknown) => void }) {
  switch (question.kind) {
    case 'form':
      return <FormQuestion question={question} onAnswer={onAnswer} />
    case 'address':
      return <AddressQuestion question={question} onAnswer={onAnswer} />
    case 'completion':
      return <CompletionQuestion question={question} onAnswer={onAnswer} />
    case 'roots':
      return (
        <div className={styles.question}>
          <p className={styles.message}>It asks for the folders it may use. A web page has none.</p>
          <div className={styles.buttons}>
            <Button size="xs" onClick={() => onAnswer(answers.noRoots())}>
              Answer with an empty list
            </Button>
          </div>
        </div>
      )
    case 'unknown':
      return (
        <div className={styles.question}>
          <p className={styles.message}>
            <code>{question.method || 'no method'}</code>
          </p>
          <JsonTree value={question.params ?? null} label="What it asks" />
        </div>
      )
  }
}
