import { create } from '@bufbuild/protobuf'
import type { Clock } from '@mcpg/core/clock'
import { IssuerKeysWantedSchema } from '@mcpg/proto/gen/delivery'
import type { Talk } from '../link/talking.ts'
import type { Outbox } from '../link/outbox.ts'
import type { GatewayAccess } from './access.ts'

/** Strangers may show made-up keys: no more than one question in this time. */
const askAgainMs = 5_000
/** Whoever shows a token by a new key waits so long for the document that has it. */
const patienceMs = 3_000
const maxWaiting = 100

export type NewKeys = ReturnType<typeof newKeys>

/** Keys of issuers that the access document lacks: the control plane is asked for them, and whoever shows one waits for it. */
export function newKeys({ access, clock }: { access: Pick<GatewayAccess, 'issuers' | 'onChange'>; clock: Clock }) {
  const waiting = new Set<() => void>()
  let outbox: Outbox | null = null
  let askedAt = -askAgainMs
  access.onChange(() => {
    for (const look of waiting) look()
  })
  return { arrives, talk }

  /** Of one stream. */
  function talk(mine: Outbox): Talk {
    outbox = mine
    return { close: () => void (outbox === mine && (outbox = null)) }
  }

  /** Whether the document has the key, now or soon. */
  async function arrives(issuer: string, kid: string): Promise<boolean> {
    if (has(issuer, kid)) return true
    if (!outbox || waiting.size >= maxWaiting) return false
    const now = clock.monotonic()
    if (now - askedAt >= askAgainMs) {
      askedAt = now
      outbox.push('access', () => ({ case: 'issuerKeysWanted', value: create(IssuerKeysWantedSchema, { issuer }) }))
    }
    // What was asked a moment ago brings this key along, too.
    const leftMs = askedAt + patienceMs - now
    return leftMs > 0 && (await isHere(issuer, kid, leftMs))
  }

  function isHere(issuer: string, kid: string, leftMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const look = () => has(issuer, kid) && end(true)
      const end = (found: boolean) => {
        cancel()
        waiting.delete(look)
        resolve(found)
      }
      const cancel = clock.after(leftMs, () => end(false))
      waiting.add(look)
    })
  }

  function has(issuer: string, kid: string): boolean {
    const issuers = access.issuers()
    return Object.hasOwn(issuers, issuer) && issuers[issuer]!.keys.some((key) => key['kid'] === kid)
  }
}
