import { NativeSelect } from '@mantine/core'
import { LogPanel } from '../../components/log-panel/log-panel.tsx'
import { Toggle } from '../../components/toggle.tsx'
import type { InstanceView } from '../../lib/objects/instance.ts'
import { objectPath } from '../../lib/paths.ts'
import { useScope, useUrlState } from '../../lib/scope.ts'

/** The log of a server: of all its instances at once, or of one, in this life or the one before. */
export function ServerLogs({ server, instances }: { server: string; instances: InstanceView[] }) {
  const scope = useScope()
  const [instance, setInstance] = useUrlState('instance')
  const [previous, setPrevious] = useUrlState('previous')
  const isPrevious = previous !== ''
  const options = instances.map((one) => ({ value: one.name, label: `${one.name} on ${one.gateway}` }))
  // One that is gone by now may still have a log.
  if (instance && !instances.some((one) => one.name === instance)) options.unshift({ value: instance, label: instance })
  return (
    <LogPanel
      path={objectPath(scope, 'servers', server, 'logs')}
      query={{ ...(instance ? { instance } : {}), ...(isPrevious ? { previous: 'true' } : {}) }}
      isFollowed={!isPrevious}
      label={`Log of ${server}`}
      fileName={`${instance || server}${isPrevious ? '-previous' : ''}.log`}
      showsOrigin={instance === '' && instances.length !== 1}
    >
      {options.length > 1 && (
        <NativeSelect
          aria-label="Instance"
          data={[{ value: '', label: 'All instances' }, ...options]}
          value={instance}
          onChange={(event) => setInstance(event.currentTarget.value)}
        />
      )}
      <Toggle isOn={isPrevious} onClick={() => setPrevious(isPrevious ? '' : '1')}>
        Previous life
      </Toggle>
    </LogPanel>
  )
}
