import { Loader } from '@mantine/core'
import styles from './loading.module.css'

/** Appears after a moment only, so that a quick answer does not flicker. */
export function Loading({ label = 'Loading' }: { label?: string }) {
  return (
    <div className={styles.loading} role="status">
      <Loader size="sm" type="dots" color="gray" aria-hidden />
      <span>{label}</span>
    </div>
  )
}
