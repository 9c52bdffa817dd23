import { Dialog } from '../../components/dialog.tsx'
import type { Workspace } from '../../lib/paths.ts'
import { ProvisionForm, type Start } from './provision-form.tsx'

/** Asks what a gateway is to be like; what comes of it is told on the page of the operation. */
export function ProvisionDialog({
  scope,
  start,
  isChange = false,
  onClose,
}: {
  scope: Workspace
  start: Start
  /** Of a gateway that is there: what may be changed in place. */
  isChange?: boolean
  onClose: () => void
}) {
  return (
    <Dialog title={isChange ? `Change ${start.name}` : 'Provision a gateway'} onClose={onClose}>
      <ProvisionForm scope={scope} start={start} isChange={isChange} />
    </Dialog>
  )
}
