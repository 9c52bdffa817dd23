import { CopyButton } from '../../../components/copy-button.tsx'
import { Note } from '../../../components/note.tsx'
import { spellBytes } from '../../../lib/format.ts'
import { BlockView } from './block-view.tsx'
import { JsonTree } from './json-tree.tsx'
import type { ResultView } from './result-view.ts'
import styles from './result.module.css'

/** Content drawn at once; a tool that answers thousands of pieces is read as JSON. */
const maxBlocks = 50

/** What a tool answered, piece by piece; the whole as it came is one fold away. */
export function ResultViewer({ result, bytes }: { result: ResultView; bytes: number }) {
  const { blocks, structured, meta, whole } = result
  const isEmpty = blocks.length === 0 && structured === undefined && result.questions.length === 0
  return (
    <div className={styles.result}>
      {result.isError && (
        <Note tone="red" title="The tool ran and failed" isAlert>
          <p>What follows is its own answer (isError).</p>
        </Note>
      )}
      {blocks.slice(0, maxBlocks).map((block, index) => (
        <BlockView key={`${index} ${block.kind}`} block={block} />
      ))}
      {blocks.length > maxBlocks && <Note tone="gray" title={`${blocks.length - maxBlocks} more pieces are in the whole answer below`} />}
      {structured !== undefined && (
        <div className={styles.block}>
          <div className={styles.bar}>
            <span className={styles.label}>Structured content</span>
            <CopyButton text={JSON.stringify(structured, null, 2)} label="Copy the structured content" />
          </div>
          <JsonTree value={structured} label="Structured content" />
        </div>
      )}
      {isEmpty && <Note tone="gray" title="The tool answered, and said nothing" />}
      {meta && (
        <details className={styles.part}>
          <summary>_meta</summary>
          <JsonTree value={meta} label="_meta" />
        </details>
      )}
      <details className={styles.part}>
        <summary>The whole answer, {spellBytes(bytes)}</summary>
        <JsonTree value={whole} label="The whole answer" />
      </details>
    </div>
  )
}
