import { TextInput } from '@mantine/core'
import type { AmountsDraft } from './draft.ts'
import styles from './cluster-form.module.css'

/** How much a cluster takes, and what selectors know it by. */
export function AmountFields({
  draft,
  onChange,
  wrong,
}: {
  draft: AmountsDraft
  onChange: (part: Partial<AmountsDraft>) => void
  wrong: (field: string) => string | undefined
}) {
  return (
    <>
      <div className={styles.amounts}>
        <TextInput
          label="Most gateways"
          description="Replicas counted"
          type="number"
          required
          value={draft.gatewaysMax}
          error={wrong('/gatewaysMax')}
          onChange={(event) => onChange({ gatewaysMax: event.currentTarget.value })}
        />
        <TextInput
          label="CPUs for them"
          description="Empty: what probes find"
          type="number"
          step="any"
          value={draft.cpus}
          error={wrong('/cpuMillicoresTotal')}
          onChange={(event) => onChange({ cpus: event.currentTarget.value })}
        />
        <TextInput
          label="Memory in GiB"
          description="Empty: what probes find"
          type="number"
          step="any"
          value={draft.gibibytes}
          error={wrong('/memoryBytesTotal')}
          onChange={(event) => onChange({ gibibytes: event.currentTarget.value })}
        />
      </div>
      <TextInput
        label="Labels"
        description="For cluster selectors"
        placeholder="disk=ssd, zone=a"
        value={draft.labels}
        error={wrong('/labels')}
        onChange={(event) => onChange({ labels: event.currentTarget.value })}
      />
    </>
  )
}
