import { Link } from 'react-router'
import { Mark, type Shape, type Tone } from '../../components/mark.tsx'
import { useNow } from '../../lib/now.ts'
import { stateAt } from '../../lib/objects/enrollment.ts'
import { useHref } from '../../lib/scope.ts'
import type { Fleet } from './attention.ts'
import styles from './status-strip.module.css'

type Count = { label: string; value: string; of?: string; mark: [Shape, Tone]; path: string; search?: Record<string, string> }

/** Counts that open the list behind them. */
export function StatusStrip({ fleet, toolCount }: { fleet: Fleet; toolCount: number }) {
  const href = useHref()
  const now = useNow()
  return (
    <ul className={styles.strip} aria-label="Counts">
      {countsOf(fleet, toolCount, now).map(({ label, value, of, mark: [shape, tone], path, search }) => (
        <li key={label}>
          <Link to={href(path, search)}>
            <span className={styles.label}>
              <Mark shape={shape} tone={tone} />
              {label}
            </span>
            <span className={styles.value}>
              {value}
              {of !== undefined && <small>/{of}</small>}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  )
}

const good: [Shape, Tone] = ['circle', 'green']
const idle: [Shape, Tone] = ['minus', 'gray']

function countsOf({ gateways, servers, instances, enrollments }: Fleet, toolCount: number, now: number): Count[] {
  const online = gateways.filter((one) => one.connection === 'online').length
  const expected = gateways.filter((one) => one.connection !== 'revoked').length
  const onWish = gateways.filter((one) => one.config.state === 'applied').length
  const running = servers.filter((one) => one.desiredState !== 'stopped')
  const ready = running.filter((one) => one.desired > 0 && one.ready >= one.desired).length
  const readyInstances = instances.filter((one) => one.state === 'ready').length
  const open = enrollments.filter((one) => stateAt(one, now) === 'open').length
  const share = (value: number, of: number, bad: [Shape, Tone]): [Shape, Tone] => (of === 0 ? idle : value === of ? good : bad)
  return [
    {
      label: 'Gateways online',
      value: String(online),
      of: String(expected),
      mark: share(online, expected, ['ring', 'amber']),
      path: '/gateways',
    },
    {
      label: 'Configs applied',
      value: String(onWish),
      of: String(gateways.length),
      mark: share(onWish, gateways.length, ['triangle', 'amber']),
      path: '/gateways',
      search: { sort: 'config' },
    },
    {
      label: 'Servers ready',
      value: String(ready),
      of: String(running.length),
      mark: share(ready, running.length, ['triangle', 'amber']),
      path: '/servers',
    },
    {
      label: 'Instances ready',
      value: String(readyInstances),
      of: String(instances.length),
      mark: share(readyInstances, instances.length, ['triangle', 'amber']),
      path: '/servers',
      search: { sort: 'ready' },
    },
    { label: 'Tools', value: String(toolCount), mark: toolCount > 0 ? good : idle, path: '/tools' },
    {
      label: 'Open enrollments',
      value: String(open),
      mark: open > 0 ? ['ring', 'blue'] : idle,
      path: '/enrollments',
      search: { state: 'open' },
    },
  ]
}
