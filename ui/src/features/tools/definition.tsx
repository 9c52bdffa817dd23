import { CodeBlock } from '../../components/code-block.tsx'
import { CopyButton } from '../../components/copy-button.tsx'
import type { ToolView } from '../../lib/objects/tool.ts'
import styles from './call/call.module.css'

/** Name on the endpoint and the schema, for those who want to read it. */
export function Definition({ tool }: { tool: ToolView }) {
  return (
    <div className={styles.result}>
      <div className={styles.buttons}>
        On the endpoint: <code>{tool.exposedName}</code>
        <CopyButton text={tool.exposedName} label="Copy the name" />
        <span className={styles.keys}>{tool.claims.length > 0 && 'The badges are what the server claims.'}</span>
      </div>
      <details className={styles.notices}>
        <summary>Input schema</summary>
        <CodeBlock text={JSON.stringify(tool.inputSchema, null, 2)} label="Input schema" />
      </details>
    </div>
  )
}
