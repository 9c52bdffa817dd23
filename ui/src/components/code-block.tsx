import { CopyButton } from './copy-button.tsx'
import styles from './code-block.module.css'

/** Text to be taken away: a command, a manifest, a few log lines. */
export function CodeBlock({ text, label, isTall = false }: { text: string; label: string; isTall?: boolean }) {
  return (
    <div className={styles.block} data-tall={isTall || undefined}>
      {/* Scrollable without a mouse. */}
      <pre tabIndex={0} aria-label={label}>
        {text}
      </pre>
      <span className={styles.copy}>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </span>
    </div>
  )
}
