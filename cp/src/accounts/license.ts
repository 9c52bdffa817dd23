import type { KeyObject } from 'node:crypto'
import { errors, jwtVerify } from 'jose'
import type { Clock } from '@mcpg/core/clock'
import type { License } from '@mcpg/proto/rest/auth'

/** Clocks of two machines may differ by this much. */
const toleranceSeconds = 60

export type Licenses = ReturnType<typeof licenses>

/** Judges licenses: JWTs of whoever holds the private half of `publicKey` (Ed25519); null: no key was given, and nothing is judged. */
export function licenses({ publicKey, clock }: { publicKey: KeyObject | null; clock: Clock }) {
  return { judge }

  async function judge(license: string): Promise<License> {
    if (!publicKey) return { state: 'not_checked' }
    try {
      const { payload } = await jwtVerify(license, publicKey, {
        algorithms: ['EdDSA', 'Ed25519'],
        clockTolerance: toleranceSeconds,
        currentDate: new Date(clock.now()),
      })
      return { state: 'valid', ...told(payload) }
    } catch (error) {
      if (error instanceof errors.JWTExpired) return { state: 'expired', ...told(error.payload) }
      return { state: 'not_valid', problem: problemOf(error) }
    }
  }
}

const told = ({ sub, exp }: { sub?: string; exp?: number }): Pick<License, 'subject' | 'expiresAt'> => ({
  ...(typeof sub === 'string' ? { subject: sub } : {}),
  ...(exp === undefined ? {} : { expiresAt: new Date(exp * 1000).toISOString() }),
})

function problemOf(error: unknown): string {
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'it was signed with another key than that of --license-public-key-file'
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it is not signed with EdDSA'
  if (error instanceof errors.JWTClaimValidationFailed) return `its claim ${error.claim} does not hold`
  return 'it is no JWT'
}
