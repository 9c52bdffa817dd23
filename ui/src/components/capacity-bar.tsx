import styles from './capacity-bar.module.css'

/** From this share on a bar is amber, and red where nothing is left. */
export const nearlyFull = 0.8

/** What is reserved of one thing, as a bar and in words; a total that is not known is not limited. */
export function CapacityBar({
  label,
  reserved,
  total,
  spell,
}: {
  label: string
  reserved: number
  total: number | undefined
  spell: (amount: number) => string
}) {
  if (total === undefined)
    return (
      <span className={styles.capacity}>
        <span className={styles.words}>{spell(reserved)}, not limited</span>
      </span>
    )
  const share = total === 0 ? 1 : reserved / total
  const tone = share >= 1 ? 'red' : share >= nearlyFull ? 'amber' : undefined
  return (
    <span className={styles.capacity}>
      <span className={styles.words}>
        {spell(reserved)} <small>of {spell(total)}</small>
      </span>
      <span
        className={styles.bar}
        data-tone={tone}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={reserved}
        aria-valuetext={`${spell(reserved)} of ${spell(total)} reserved`}
      >
        <span style={{ width: `${Math.min(100, share * 100)}%` }} />
      </span>
    </span>
  )
}
