import { Tabs } from '@mantine/core'
import { Suspense, type ReactNode } from 'react'
import { useUrlState } from '../lib/scope.ts'
import { Loading } from './loading.tsx'
import styles from './page-tabs.module.css'

/** `shortcut` is a key that opens it (`app/use-shortcuts.ts`). */
export type PageTab = { value: string; label: string; count?: number; shortcut?: 'l' | 'y'; content: () => ReactNode }

/** The parts of an object's page; which one stands in the URL, and the first one is where one arrives. */
export function PageTabs({ tabs }: { tabs: PageTab[] }) {
  const [tab, setTab] = useUrlState('tab')
  const first = tabs[0]!.value
  const chosen = tabs.some((one) => one.value === tab) ? tab : first
  return (
    <Tabs value={chosen} onChange={(next) => setTab(next === first ? '' : (next ?? ''))} keepMounted={false}>
      <Tabs.List mb="lg" className={styles.tabs!}>
        {tabs.map(({ value, label, count, shortcut }) => (
          <Tabs.Tab key={value} value={value} data-key={shortcut}>
            {label}
            {count !== undefined && <span className={styles.count}> {count}</span>}
          </Tabs.Tab>
        ))}
      </Tabs.List>
      {tabs.map(({ value, content }) => (
        <Tabs.Panel key={value} value={value}>
          {value === chosen && <Suspense fallback={<Loading />}>{content()}</Suspense>}
        </Tabs.Panel>
      ))}
    </Tabs>
  )
}
