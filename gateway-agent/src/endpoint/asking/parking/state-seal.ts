import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import canonicalize from 'canonicalize'
import { z } from 'zod'
import type { Params } from '../../../mcp/protocol.ts'

/** What a client carries of a parked call: which process of this gateway, which call, which round, until when (wall clock). */
const State = z.strictObject({ b: z.string(), p: z.string(), n: z.number(), e: z.number() })
export type SealedState = { boot: string; run: string; round: number; expiresAt: number }

const prefix = 'mcpg1'
const ivBytes = 12
const tagBytes = 16

export type StateSeal = ReturnType<typeof stateSeal>

/**
 * Seals the state of a parked call by AES-256-GCM into `mcpg1.<key id>.<iv, ciphertext, tag>`. It is bound to a digest of caller, path and
 * request, which is not in it: another caller's, or that of other arguments, cannot even be read. `key` has 32 bytes.
 */
export function stateSeal(key: Uint8Array) {
  const ours = `${prefix}.${stateKeyId(key)}.`
  return { seal, open, isOurs, isOfAnother }

  function seal({ boot, run, round, expiresAt }: SealedState, bound: Uint8Array): string {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(bound)
    const text = JSON.stringify({ b: boot, p: run, n: round, e: expiresAt } satisfies z.infer<typeof State>)
    const sealed = Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
    return ours + sealed.toString('base64url')
  }

  /** Null for what was changed, or belongs to another request or caller. */
  function open(text: string, bound: Uint8Array): SealedState | null {
    const sealed = Buffer.from(text.slice(ours.length), 'base64url')
    if (sealed.length <= ivBytes + tagBytes) return null
    try {
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, ivBytes)).setAAD(bound)
      decipher.setAuthTag(sealed.subarray(-tagBytes))
      const plain = Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()])
      const { b, p, n, e } = State.parse(JSON.parse(plain.toString()))
      return { boot: b, run: p, round: n, expiresAt: e }
    } catch {
      return null
    }
  }

  function isOurs(state: unknown): state is string {
    return typeof state === 'string' && state.startsWith(ours)
  }

  /** Sealed by a gateway with another key: of this one before its key was lost, or of one behind us. */
  function isOfAnother(state: unknown): boolean {
    return typeof state === 'string' && state.startsWith(`${prefix}.`) && !state.startsWith(ours)
  }
}

/** Stands in every state in the open, so that who carries a retry can tell which gateway it belongs to. */
export const stateKeyId = (key: Uint8Array): string => createHash('sha256').update(key).digest('hex').slice(0, 8)

/** What stays the same from a request to its retry. */
export function boundTo(caller: string, path: string, method: string, params: Params): Buffer {
  const { _meta, inputResponses: _responses, requestState: _state, ...rest } = params
  return createHash('sha256')
    .update(canonicalize([caller, path, method, rest]) ?? '')
    .digest()
}
