import { useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'
import { useHref } from '../lib/scope.ts'
import { destinations } from './navigation.ts'

export const shortcutsOffKey = 'mcpg-shortcuts-off'

/** `g` waits this long for its second key. */
const chordMs = 1200

type Shortcuts = { onPalette: () => void; onKeys: () => void; isQuiet: boolean }

/**
 * Keys of the whole console. Single keys do nothing while one types or a dialog is open, and can be switched off in the key sheet
 * (WCAG 2.1.4); the palette's chord always works.
 */
export function useShortcuts({ onPalette, onKeys, isQuiet }: Shortcuts): void {
  const navigate = useNavigate()
  const href = useHref()
  // A page that draws itself anew between the two keys must not forget the first.
  const goSince = useRef(Number.NEGATIVE_INFINITY)
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if ((event.metaKey || event.ctrlKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        onPalette()
        return
      }
      if (isQuiet || event.metaKey || event.ctrlKey || event.altKey || isTyping(event.target) || areOff()) return
      const destination = event.timeStamp - goSince.current < chordMs ? destinations.find((one) => one.key === event.key) : undefined
      goSince.current = Number.NEGATIVE_INFINITY
      if (destination) void navigate(href(destination.path))
      else if (event.key === 'g') goSince.current = event.timeStamp
      else if (event.key === '?') onKeys()
      else if (event.key === '/') focusFilter(event)
      else if (event.key === 'j' || event.key === 'k') focusRow(event.key === 'j' ? 1 : -1)
      else if (tabKeys.has(event.key)) openTab(event.key)
      else if (event.key === 'o' && isRow(document.activeElement)) document.activeElement.click()
    }
    document.addEventListener('keydown', onKey)
    return () => document.removeEventListener('keydown', onKey)
  }, [navigate, href, onPalette, onKeys, isQuiet])
}

/** Keys of tabs (`page-tabs.tsx`); they do something where the page has such a tab. */
const tabKeys = new Set(['l', 'y'])

const openTab = (key: string) => document.querySelector<HTMLElement>(`[role=tab][data-key="${key}"]`)?.click()

function areOff(): boolean {
  try {
    return localStorage.getItem(shortcutsOffKey) === '1'
  } catch {
    return false
  }
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

const isRow = (element: Element | null): element is HTMLElement => element instanceof HTMLElement && element.dataset['row'] !== undefined

function focusFilter(event: KeyboardEvent): void {
  const filter = document.querySelector<HTMLElement>('[data-filter]')
  if (!filter) return
  event.preventDefault()
  filter.focus()
}

function focusRow(step: number): void {
  const rows = [...document.querySelectorAll<HTMLElement>('[data-row]')]
  const at = rows.findIndex((row) => row === document.activeElement)
  rows[at < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, at + step))]?.focus()
}
