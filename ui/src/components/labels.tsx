import styles from './labels.module.css'

export function Labels({ labels }: { labels: Record<string, string> }) {
  const entries = Object.entries(labels)
  if (entries.length === 0) return <span className={styles.none}>–</span>
  return (
    <span className={styles.labels}>
      {entries.map(([key, value]) => (
        <code key={key}>{value ? `${key}=${value}` : key}</code>
      ))}
    </span>
  )
}
