import { Button } from '@mantine/core'
import { IconExternalLink } from '@tabler/icons-react'
import { CopyButton } from '../../../components/copy-button.tsx'
import { Note } from '../../../components/note.tsx'
import { answers, type Question } from '../result/question.ts'
import styles from './questions.module.css'

/** An address the server wants somebody to visit. Nothing goes there but a person who has read where it leads. */
export function AddressQuestion({
  question,
  onAnswer,
}: {
  question: Extract<Question, { kind: 'address' }>
  onAnswer: (response: unknown) => void
}) {
  const { message, url, host } = question
  return (
    <div className={styles.question}>
      <p className={styles.message}>{message}</p>
      {host ? (
        <p className={styles.address}>
          <a href={url} target="_blank" rel="noopener noreferrer">
            Open {host} in a new tab <IconExternalLink size={14} aria-hidden />
          </a>
          <code>{url}</code>
          <CopyButton text={url} label="Copy the address" />
        </p>
      ) : (
        <Note tone="amber" title="This is no address a browser should open">
          <p>
            <code>{url}</code>
          </p>
        </Note>
      )}
      <div className={styles.buttons}>
        {host && (
          <Button size="xs" onClick={() => onAnswer(answers.visited())}>
            I have done it
          </Button>
        )}
        <Button variant="default" size="xs" onClick={() => onAnswer(answers.declined())}>
          Decline
        </Button>
      </div>
    </div>
  )
}
