import { ActionIcon, Tooltip } from '@mantine/core'
import { IconDownload } from '@tabler/icons-react'

/** Saves something as a file. The page itself never goes where the file is. */
export function DownloadButton({
  parts,
  name,
  type = 'text/plain',
  label = 'Download',
}: {
  parts: BlobPart[] | (() => BlobPart[])
  name: string
  type?: string
  label?: string
}) {
  const save = () => {
    const url = URL.createObjectURL(new Blob(typeof parts === 'function' ? parts() : parts, { type }))
    const link = Object.assign(document.createElement('a'), { href: url, download: name })
    link.click()
    // The browser has taken the file by the next turn.
    setTimeout(() => URL.revokeObjectURL(url))
  }
  return (
    <Tooltip label={label}>
      <ActionIcon variant="subtle" color="gray" size="md" aria-label={label} onClick={save}>
        <IconDownload size={15} />
      </ActionIcon>
    </Tooltip>
  )
}
