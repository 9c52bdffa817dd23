import styles from './servers-ready.module.css'

/** `3/4`: how many are ready of how many should be. Short of it, it is said by weight, and the state beside it says it in words. */
export function ServersReady({ ready, desired }: { ready: number; desired: number }) {
  return (
    <span className={styles.ready} data-short={ready < desired || undefined}>
      {ready}
      <span>/{desired}</span>
    </span>
  )
}
