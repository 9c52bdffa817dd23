import { Button } from '@mantine/core'
import { useMemo, useState } from 'react'
import { CopyButton } from '../../../components/copy-button.tsx'
import { DownloadButton } from '../../../components/download-button.tsx'
import { spellBytes } from '../../../lib/format.ts'
import { Toggle } from '../../../components/toggle.tsx'
import { JsonTree } from './json-tree.tsx'
import styles from './result.module.css'

/** Characters drawn at first: more makes a browser slow and nobody read. */
const maxShown = 100_000

/** A text as the tool answered it, never as markup. One that is JSON can be unfolded. */
export function TextBlock({ text, label }: { text: string; label: string }) {
  const [isWhole, setWhole] = useState(false)
  const [isWrapped, setWrapped] = useState(true)
  const [isTree, setTree] = useState(false)
  const json = useMemo(() => jsonOf(text), [text])
  const isCut = !isWhole && text.length > maxShown
  return (
    <div className={styles.block}>
      <div className={styles.bar}>
        <span className={styles.label}>
          {label}
          {text.length > 1000 && `, ${spellBytes(text.length)}`}
        </span>
        {json !== undefined && (
          <Toggle isOn={isTree} onClick={() => setTree(!isTree)}>
            As JSON
          </Toggle>
        )}
        <Toggle isOn={isWrapped} onClick={() => setWrapped(!isWrapped)}>
          Wrap
        </Toggle>
        {text.length > maxShown && <DownloadButton parts={[text]} name="result.txt" />}
        <CopyButton text={text} label="Copy the text" />
      </div>
      {isTree && json !== undefined ? (
        <JsonTree value={json} label={label} />
      ) : (
        <pre className={styles.text} data-wrapped={isWrapped || undefined} tabIndex={0} aria-label={label}>
          {isCut ? text.slice(0, maxShown) : text}
        </pre>
      )}
      {isCut && (
        <p className={styles.cut}>
          The first {spellBytes(maxShown)} of {spellBytes(text.length)} are shown.{' '}
          <Button variant="subtle" size="compact-xs" onClick={() => setWhole(true)}>
            Show everything
          </Button>
        </p>
      )}
    </div>
  )
}

/** Objects and lists only: a number is no document. */
function jsonOf(text: string): unknown {
  if (text.length > 1_000_000 || !/^\s*[[{]/.test(text)) return undefined
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}
