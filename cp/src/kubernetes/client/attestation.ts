import { McpgError } from '@mcpg/proto/errors'
import { attestationAudience } from '../objects/pod.ts'
import type { Api } from './api.ts'

type Review = {
  status: {
    authenticated?: boolean
    audiences?: string[]
    error?: string
    user?: { username?: string; extra?: Record<string, string[]> }
  }
}

/**
 * Whose pod a projected token is, as its cluster says. Throws McpgError: `forbidden` where it is not a valid token of a pod for this
 * purpose, `unavailable` where the cluster could not be asked.
 */
export async function attestedPod(api: Api, token: string): Promise<{ namespace: string; account: string; pod: string }> {
  const { status } = await api.post<Review>('/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token, audiences: [attestationAudience] },
  })
  const { authenticated, audiences = [], user } = status
  const [, namespace, account] = /^system:serviceaccount:([^:]+):([^:]+)$/.exec(user?.username ?? '') ?? []
  const pod = user?.extra?.['authentication.kubernetes.io/pod-name']?.[0]
  if (!authenticated || !audiences.includes(attestationAudience) || !namespace || !account || !pod)
    throw new McpgError('forbidden', 'attestation_refused', 'The cluster does not attest that the token is one of a pod of a gateway.', {
      hint: 'the token may be expired, of another cluster or of another audience; a pod that starts again gets a new one',
    })
  return { namespace, account, pod }
}
