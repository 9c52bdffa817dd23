import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { BlockView } from '../result/block-view.tsx'
import { answers, type Question } from '../result/question.ts'
import styles from './questions.module.css'

/** The server wants a language model to write something. Here is none, so a person writes, and the answer says so. */
export function CompletionQuestion({
  question,
  onAnswer,
}: {
  question: Extract<Question, { kind: 'completion' }>
  onAnswer: (response: unknown) => void
}) {
  const [text, setText] = useState('')
  const { system, messages, maxTokens, models } = question
  const wishes = [
    maxTokens === undefined ? '' : `at most ${maxTokens} tokens`,
    models.length > 0 ? `rather by ${models.filter(Boolean).join(', ')}` : '',
  ].filter(Boolean)
  return (
    <div className={styles.question}>
      <p className={styles.message}>It asks a language model to go on from here{wishes.length > 0 && `, ${wishes.join(', ')}`}:</p>
      {system && (
        <div className={styles.turn}>
          <span className={styles.role}>system</span>
          <BlockView block={{ kind: 'text', text: system }} />
        </div>
      )}
      {messages.map(({ role, blocks }, index) => (
        <div key={`${index} ${role}`} className={styles.turn}>
          <span className={styles.role}>{role}</span>
          {blocks.map((block, at) => (
            <BlockView key={`${at} ${block.kind}`} block={block} />
          ))}
        </div>
      ))}
      <Textarea
        label="Your answer in its place"
        description="It is sent as written by “a person”, not by a model"
        autosize
        minRows={2}
        maxRows={14}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <div className={styles.buttons}>
        <Button size="xs" disabled={text === ''} onClick={() => onAnswer(answers.completion(text))}>
          Send the answer
        </Button>
      </div>
    </div>
  )
}
