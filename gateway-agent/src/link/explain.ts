import { explainTls } from '@mcpg/core/tls-trust'
import type { Identity } from '../identity/identity-file.ts'

/**
 * In words why a TLS connection to the stream's listener failed; null when TLS is not the reason. The clock of the control plane is asked at
 * the origin of the enrollment.
 */
export async function explainConnection(error: unknown, { enrolledAtOrigin }: Identity): Promise<string | null> {
  const advice = { carrier: 'this enrollment', again: 'enroll again: mcpg-ctl gateway --re-enroll --enrollment-url <new URL>' }
  const problem = await explainTls(error, { origin: enrolledAtOrigin, hasPin: true, advice })
  return problem && `${problem.reason}: ${problem.message} (${problem.hint})`
}
