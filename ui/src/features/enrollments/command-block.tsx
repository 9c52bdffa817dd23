import type { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import { useState } from 'react'
import { CopyButton } from '../../components/copy-button.tsx'
import { shellWord, spellCountdown } from '../../lib/format.ts'
import styles from './command-block.module.css'
import type { Choice } from './options-form.tsx'

/**
 * The command with its token, shown once. The token is in the page only while the pointer or the focus is on it, so that a shared
 * screen or a screenshot does not give it away.
 */
export function CommandBlock({ issued, choice, now }: { issued: CreatedEnrollment; choice: Choice; now: number }) {
  const [isShown, setShown] = useState(false)
  const command = commandOf(issued.command, choice)
  const left = Date.parse(issued.expiresAt) - now
  return (
    <>
      <div className={styles.block}>
        <code
          className={styles.command}
          tabIndex={0}
          aria-label="Command"
          data-shown={isShown || undefined}
          onPointerEnter={() => setShown(true)}
          onPointerLeave={() => setShown(false)}
          onFocus={() => setShown(true)}
          onBlur={() => setShown(false)}
        >
          {isShown ? command : mask(command)}
        </code>
        <CopyButton text={command} withText label="Copy" />
      </div>
      <p className={styles.fine}>
        <span data-soon={left < 120_000 || undefined}>
          Expires in <time>{spellCountdown(left)}</time>
        </span>
        <span>The token works once and is shown only here. Point at the command to see it.</span>
      </p>
    </>
  )
}

/** The answer of the control plane, with the flags of what was chosen here. */
function commandOf(command: string, { mode, name }: Choice): string {
  const flags = [name && !/ --name[ =]/.test(command) ? `--name ${shellWord(name)}` : '', mode === 'background' ? '--detach' : '']
  return [command, ...flags.filter(Boolean)].join(' ')
}

/** Everything after `/enroll/` and any of our tokens becomes dots. */
const mask = (command: string) =>
  command.replaceAll(/(\/enroll\/)[^\s'"#]+/g, '$1••••••••••••').replaceAll(/mcpg_[a-z]+_[\w-]+/g, '••••••••••••')
