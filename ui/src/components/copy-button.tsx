import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { IconCheck, IconCopy } from '@tabler/icons-react'
import { useEffect, useState } from 'react'

/** Copies text and says so for a moment. Without access to the clipboard it says that instead. */
export function CopyButton({
  text,
  label = 'Copy',
  withText = false,
}: {
  text: string | (() => string)
  label?: string
  withText?: boolean
}) {
  const [result, setResult] = useState<'copied' | 'refused' | undefined>()
  useEffect(() => {
    if (!result) return
    const timer = setTimeout(() => setResult(undefined), 2000)
    return () => clearTimeout(timer)
  }, [result])
  const copy = () => {
    const done = navigator.clipboard?.writeText(typeof text === 'function' ? text() : text) ?? Promise.reject(new Error('no clipboard'))
    void done.then(
      () => setResult('copied'),
      () => setResult('refused'),
    )
  }
  const shown = result === 'copied' ? 'Copied' : result === 'refused' ? 'The browser refused; select and copy' : label
  const icon = result === 'copied' ? <IconCheck size={15} /> : <IconCopy size={15} />
  if (withText)
    return (
      <Button variant="default" size="xs" leftSection={icon} onClick={copy} aria-live="polite">
        {shown}
      </Button>
    )
  return (
    <Tooltip label={shown} {...(result ? { opened: true } : {})}>
      <ActionIcon variant="subtle" color="gray" size="md" onClick={copy} aria-label={shown}>
        {icon}
      </ActionIcon>
    </Tooltip>
  )
}
