import { Kbd, Switch } from '@mantine/core'
import { Dialog } from '../components/dialog.tsx'
import { useStoredFlag } from '../lib/stored-flag.ts'
import styles from './key-sheet.module.css'
import { destinations } from './navigation.ts'
import { shortcutsOffKey } from './use-shortcuts.ts'

const keys: [string[], string][] = [
  [['Ctrl', 'K'], 'Search and go to'],
  ...destinations.map(({ key, label }): [string[], string] => [['g', key], `Go to ${label}`]),
  [['/'], 'Filter the list'],
  [['j'], 'Next row'],
  [['k'], 'Previous row'],
  [['o'], 'Open the row'],
  [['l'], 'Logs of this object'],
  [['y'], 'YAML of this object'],
  [['?'], 'This sheet'],
  [['Esc'], 'Close'],
]

export function KeySheet({ onClose }: { onClose: () => void }) {
  const [off, setOff] = useStoredFlag(shortcutsOffKey)
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className={styles.keys}>
        {keys.map(([chord, what]) => (
          <div key={what}>
            <dt>
              {chord.map((key) => (
                <Kbd key={key}>{key}</Kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <Switch checked={!off} onChange={(event) => setOff(!event.currentTarget.checked)} label="Single-key shortcuts" />
    </Dialog>
  )
}
