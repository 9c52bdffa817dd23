import { fromJson, type JsonValue } from '@bufbuild/protobuf'
import { EnrollRequestSchema, type EnrollRequest } from '@mcpg/proto/gen/enrollment'
import { CredentialKind } from '@mcpg/proto/gen/types'
import { McpgError } from '@mcpg/proto/errors'
import { InstanceUid } from '@mcpg/proto/names'

/** Reads an EnrollRequest in protobuf's JSON mapping; `kind` is what this control plane gives. Throws `invalid` or `unsupported`. */
export function readEnrollRequest(body: unknown, kind: CredentialKind): EnrollRequest {
  let request: EnrollRequest
  try {
    request = fromJson(EnrollRequestSchema, body as JsonValue, { ignoreUnknownFields: true })
  } catch (error) {
    throw new McpgError('invalid', 'enroll_request_invalid', 'The body is not an EnrollRequest in the JSON mapping of protobuf.', {
      cause: error,
    })
  }
  if (request.idempotencyKey.length !== 16) throw invalid('/idempotencyKey', 'must be 16 random bytes')
  const uid = InstanceUid.safeParse(request.instanceUid)
  if (!uid.success) throw invalid('/instanceUid', uid.error.issues[0]!.message)
  if (request.credentialKind !== kind && request.credentialKind !== CredentialKind.UNSPECIFIED)
    throw new McpgError('unsupported', 'credential_kind_unsupported', kindMessages[kind], { status: 400 })
  return request
}

const invalid = (pointer: string, detail: string) =>
  new McpgError('invalid', 'enroll_request_invalid', `${pointer} ${detail}.`, { violations: [{ pointer, detail }] })

const kindMessages: Record<CredentialKind, string> = {
  [CredentialKind.UNSPECIFIED]: 'This control plane gives no credentials.',
  [CredentialKind.BEARER]: 'This control plane listens to gateways on loopback and gives bearers only; certificates need TLS.',
  [CredentialKind.X509]: 'This control plane listens to gateways over TLS and gives certificates only.',
}
