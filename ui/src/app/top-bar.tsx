import { ActionIcon, Kbd, Tooltip, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { IconKeyboard, IconMoon, IconSearch, IconSun } from '@tabler/icons-react'
import { Link } from 'react-router'
import { useHref } from '../lib/scope.ts'
import { AccountMenu } from './account-menu.tsx'
import { ConnectionPill } from './connection-pill.tsx'
import { ScopeSwitcher } from './scope-switcher.tsx'
import styles from './shell.module.css'

export function TopBar({ onPalette, onKeys }: { onPalette: () => void; onKeys: () => void }) {
  const href = useHref()
  return (
    <header className={styles.bar}>
      <Link className={styles.brand!} to={href('/')}>
        <img src="/favicon.svg" alt="" />
        <span>mcpg</span>
      </Link>
      <ScopeSwitcher />
      <div className={styles.spring} />
      <button type="button" className={styles.search} onClick={onPalette} aria-label="Search and go to">
        <IconSearch size={15} aria-hidden />
        <span>Search and go to</span>
        <Kbd size="xs">{isApple() ? '⌘' : 'Ctrl'} K</Kbd>
      </button>
      <ConnectionPill />
      <Tooltip label="Keys">
        <ActionIcon className={styles.keys!} variant="subtle" color="gray" size="lg" aria-label="Keyboard shortcuts" onClick={onKeys}>
          <IconKeyboard size={18} stroke={1.7} />
        </ActionIcon>
      </Tooltip>
      <ThemeToggle />
      <AccountMenu />
    </header>
  )
}

function ThemeToggle() {
  // Without transitions Mantine would add a <style> element for a moment, which the Content-Security-Policy forbids.
  const { setColorScheme } = useMantineColorScheme({ keepTransitions: true })
  const scheme = useComputedColorScheme('light', { getInitialValueInEffect: false })
  const other = scheme === 'dark' ? 'light' : 'dark'
  const Icon = scheme === 'dark' ? IconSun : IconMoon
  return (
    <Tooltip label={`Switch to the ${other} theme`}>
      <ActionIcon variant="subtle" color="gray" size="lg" aria-label={`Switch to the ${other} theme`} onClick={() => setColorScheme(other)}>
        <Icon size={18} stroke={1.7} />
      </ActionIcon>
    </Tooltip>
  )
}

const isApple = () => /Mac|iPhone|iPad/.test(navigator.platform)
