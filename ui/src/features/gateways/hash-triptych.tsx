import { Mark } from '../../components/mark.tsx'
import { Since } from '../../components/since.tsx'
import { shortHash } from '../../lib/format.ts'
import type { ConfigPointView, GatewayView } from '../../lib/objects/gateway.ts'
import styles from './hash-triptych.module.css'

/** Desired → applied → last known good. Equal hashes are greyed: what stands out is what differs. */
export function HashTriptych({ gateway: { config } }: { gateway: GatewayView }) {
  const { desired, applied, lkg } = config
  return (
    <ol className={styles.triptych}>
      <Point label="Desired" point={desired} />
      <Point label="Applied" point={applied} same={applied && applied.hash === desired?.hash ? 'as desired' : undefined} />
      <Point label="Last known good" point={lkg} same={lkg && lkg.hash === applied?.hash ? 'as applied' : undefined} />
    </ol>
  )
}

function Point({ label, point, same }: { label: string; point: ConfigPointView | undefined; same?: string | undefined }) {
  return (
    <li data-same={same !== undefined || undefined}>
      <span className={styles.label}>{label}</span>
      {point ? (
        <>
          <code className={styles.hash} title={point.hash}>
            {shortHash(point.hash)}
          </code>
          <span className={styles.detail}>
            generation {point.generation}
            {point.at && (
              <>
                , <Since at={point.at} />
              </>
            )}
          </span>
          {same && (
            <span className={styles.detail}>
              <Mark shape="check" tone="green" size={11} /> {same}
            </span>
          )}
        </>
      ) : (
        <span className={styles.detail}>none yet</span>
      )}
    </li>
  )
}
