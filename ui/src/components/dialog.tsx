import { CloseButton } from '@mantine/core'
import { useLayoutEffect, useRef, type ReactNode } from 'react'
import styles from './dialog.module.css'

/** The browser's own modal: it holds the focus, gives it back, and closes on Escape; a click beside it closes it too. */
export function Dialog({
  title,
  isTitleHidden = false,
  onClose,
  children,
}: {
  title: string
  isTitleHidden?: boolean
  onClose: () => void
  children: ReactNode
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  // Closed before it leaves the document: after that the browser gives the focus back to nothing.
  useLayoutEffect(() => {
    const element = dialog.current
    if (element && !element.open) element.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault()
        onClose()
      }}
      onClick={(event) => event.target === dialog.current && onClose()}
    >
      <div className={styles.inside}>
        {isTitleHidden ? null : (
          <header className={styles.head}>
            <h2>{title}</h2>
            <CloseButton aria-label="Close" onClick={onClose} />
          </header>
        )}
        {children}
      </div>
    </dialog>
  )
}
