import { Suspense, useEffect, useRef, useState } from 'react'
import { NavLink, Outlet, useLocation } from 'react-router'
import { Loading } from '../components/loading.tsx'
import { LiveProvider } from '../lib/live/live-provider.tsx'
import { useHref, useScope } from '../lib/scope.ts'
import { ErrorFence } from './error-fence.tsx'
import { KeySheet } from './key-sheet.tsx'
import { navigation } from './navigation.ts'
import { Palette } from './palette.tsx'
import styles from './shell.module.css'
import { TopBar } from './top-bar.tsx'
import { useShortcuts } from './use-shortcuts.ts'

/** What every page stands in. It owns the one stream of the page. */
export function Shell() {
  const scope = useScope()
  const { pathname } = useLocation()
  const [open, setOpen] = useState<'palette' | 'keys' | undefined>()
  const main = useRef<HTMLElement>(null)
  useShortcuts({ onPalette: () => setOpen('palette'), onKeys: () => setOpen('keys'), isQuiet: open !== undefined })
  useEffect(() => {
    // In braces: newer browsers answer a promise, which React would take for a clean-up.
    globalThis.scrollTo(0, 0)
  }, [pathname])
  const close = () => setOpen(undefined)
  return (
    <LiveProvider scope={scope}>
      <div className={styles.shell}>
        <a className={styles.skip} href="#main" onClick={() => main.current?.focus()}>
          Skip to content
        </a>
        <TopBar onPalette={() => setOpen('palette')} onKeys={() => setOpen('keys')} />
        <Navigation />
        <main className={styles.main} id="main" tabIndex={-1} ref={main}>
          <ErrorFence key={pathname}>
            <Suspense fallback={<Loading />}>
              <Outlet />
            </Suspense>
          </ErrorFence>
        </main>
      </div>
      {open === 'palette' && <Palette onClose={close} />}
      {open === 'keys' && <KeySheet onClose={close} />}
    </LiveProvider>
  )
}

function Navigation() {
  const href = useHref()
  const { pathname } = useLocation()
  const nav = useRef<HTMLElement>(null)
  useEffect(() => {
    // On a phone it is one row that scrolls; where one is must be in sight.
    nav.current?.querySelector('[aria-current=page]')?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }, [pathname])
  return (
    <nav className={styles.nav} aria-label="Main" ref={nav}>
      {navigation.map(({ group, items }) => (
        <div key={group}>
          <p className={styles.group}>{group}</p>
          <ul className={styles.list}>
            {items.map(({ label, path, icon: Icon }) => (
              <li key={path}>
                <NavLink className={styles.item!} to={href(path)} end={path === '/'}>
                  <Icon size={18} stroke={1.7} aria-hidden />
                  {label}
                </NavLink>
              </li>
            ))}
          </ul>
        </div>
      ))}
    </nav>
  )
}
