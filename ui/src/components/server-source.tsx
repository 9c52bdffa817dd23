import type { ServerView } from '../lib/objects/server.ts'
import styles from './server-source.module.css'

/** Where a server comes from: a package with its runtime, a command, or an address. */
export function ServerSource({ source }: { source: ServerView['source'] }) {
  if (source.kind === 'unknown') return <span>–</span>
  return (
    <span className={styles.source}>
      <span className={styles.kind}>{source.runtime ? `${source.runtime} ${source.kind}` : source.kind}</span>
      <code title={source.text}>{source.text}</code>
    </span>
  )
}
