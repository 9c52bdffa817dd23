import type { ReactNode } from 'react'
import { CopyButton } from '../../components/copy-button.tsx'
import { Since } from '../../components/since.tsx'
import { plural } from '../../lib/format.ts'
import type { CredentialView } from '../../lib/objects/gateway.ts'

/** By what the gateway is known, until when, and how often it was made anew. */
export function credentialFacts({ kind, serial, notAfter, renewals, recoveries }: CredentialView): [string, ReactNode][] {
  if (kind !== 'certificate') return [['Credential', kind === 'bearer' ? 'bearer token, valid until it is revoked' : kind]]
  return [
    [
      'Certificate',
      <span key="certificate">
        ends <Since at={notAfter} />, renewed {plural(renewals, 'time')}
        {recoveries > 0 && `, recovered ${plural(recoveries, 'time')}`}
      </span>,
    ],
    [
      'Certificate serial',
      serial && (
        <span key="serial">
          <code>{serial}</code> <CopyButton text={serial} label="Copy the serial" />
        </span>
      ),
    ],
  ]
}
