import { IconArrowRight, IconPlugConnected, IconPlus, IconServer2, IconTool, type Icon } from '@tabler/icons-react'
import { useId, useMemo, useState, type KeyboardEvent } from 'react'
import { useNavigate } from 'react-router'
import { Dialog } from '../components/dialog.tsx'
import { useObjects } from '../lib/live/use-objects.ts'
import { gatewayView } from '../lib/objects/gateway.ts'
import { serverView } from '../lib/objects/server.ts'
import { toolView } from '../lib/objects/tool.ts'
import { gatewayPath, serverPath, toolPath } from '../lib/pages.ts'
import { useHref } from '../lib/scope.ts'
import { destinations } from './navigation.ts'
import styles from './palette.module.css'

type Entry = { key: string; label: string; detail: string; icon: Icon; to: string; words: string }

/** Shown at once; more would not be read. */
const maxShown = 12

/** Goes to pages and objects by a few letters of their names. */
export function Palette({ onClose }: { onClose: () => void }) {
  const entries = useEntries()
  const navigate = useNavigate()
  const [text, setText] = useState('')
  const [at, setAt] = useState(0)
  const id = useId()
  const found = useMemo(() => search(entries, text), [entries, text])
  const chosen = Math.min(at, found.length - 1)
  const go = (entry: Entry | undefined) => {
    if (!entry) return
    onClose()
    void navigate(entry.to)
  }
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    if (step) {
      event.preventDefault()
      setAt((chosen + step + found.length) % Math.max(1, found.length))
    } else if (event.key === 'Enter') {
      event.preventDefault()
      go(found[chosen])
    }
  }
  return (
    <Dialog title="Search and go to" isTitleHidden onClose={onClose}>
      <input
        className={styles.input}
        role="combobox"
        aria-label="Search and go to"
        aria-expanded
        aria-controls={`${id}-list`}
        aria-activedescendant={found[chosen] ? `${id}-${chosen}` : undefined}
        placeholder="A page, gateway, server or tool"
        value={text}
        autoFocus
        onChange={(event) => {
          setText(event.currentTarget.value)
          setAt(0)
        }}
        onKeyDown={onKeyDown}
      />
      <ul className={styles.list} id={`${id}-list`} role="listbox" aria-label="Results">
        {found.map((entry, index) => (
          <li
            key={entry.key}
            id={`${id}-${index}`}
            role="option"
            aria-selected={index === chosen}
            onPointerMove={() => setAt(index)}
            onClick={() => go(entry)}
          >
            <entry.icon size={17} stroke={1.7} aria-hidden />
            <span>{entry.label}</span>
            <small>{entry.detail}</small>
          </li>
        ))}
      </ul>
      {found.length === 0 && <p className={styles.nothing}>Nothing here is called “{text}”.</p>}
    </Dialog>
  )
}

function useEntries(): Entry[] {
  const href = useHref()
  const { items: gateways = [] } = useObjects('Gateway', gatewayView)
  const { items: servers = [] } = useObjects('Server', serverView)
  const { items: tools = [] } = useObjects('Tool', toolView)
  return useMemo(
    () => [
      ...destinations.map((one) => ({
        key: one.path,
        label: one.label,
        detail: 'Page',
        icon: IconArrowRight,
        to: href(one.path),
        words: one.words,
      })),
      { key: 'enroll', label: 'Enroll a gateway', detail: 'Action', icon: IconPlus, to: href('/enrollments/new'), words: 'new add join' },
      ...servers.map((one) => ({
        key: `s/${one.name}`,
        label: one.name,
        detail: 'Server',
        icon: IconServer2,
        to: href(serverPath(one.name)),
        words: one.source.text,
      })),
      ...gateways.map((one) => ({
        key: `g/${one.environment}/${one.name}`,
        label: one.name,
        detail: 'Gateway',
        icon: IconPlugConnected,
        to: href(gatewayPath(one.name)),
        words: one.hostname,
      })),
      ...tools.map((one) => ({
        key: `t/${one.exposedName}`,
        label: one.exposedName,
        detail: 'Tool',
        icon: IconTool,
        to: href(toolPath(one.server, one.name)),
        words: one.title,
      })),
    ],
    [href, gateways, servers, tools],
  )
}

/** Every word must be somewhere; names that begin with the text come first. */
function search(entries: Entry[], text: string): Entry[] {
  const wanted = text.trim().toLowerCase()
  const words = wanted.split(/\s+/)
  const hits = entries.filter((one) => words.every((word) => `${one.label} ${one.detail} ${one.words}`.toLowerCase().includes(word)))
  const rank = (one: Entry) => (one.label.toLowerCase().startsWith(wanted) ? 0 : one.label.toLowerCase().includes(wanted) ? 1 : 2)
  return hits.sort((a, b) => rank(a) - rank(b)).slice(0, maxShown)
}
