import { create } from '@bufbuild/protobuf'
import { timestampFromMs } from '@bufbuild/protobuf/wkt'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import { RenewCredentialResponseSchema, type RenewCredentialRequest, type RenewCredentialResponse } from '@mcpg/proto/gen/gateway'
import type { X509Chain } from '@mcpg/proto/gen/types'
import { gatewayCaller } from '../access/caller.ts'
import type { Audit } from '../audit/audit.ts'
import type { Db, Tx } from '../db/db.ts'
import type { Registry } from '../gateways/registry.ts'
import type { Gateways } from '../gateways/service.ts'
import type { GatewayIdentity } from '../grpc/stream.ts'
import type { Authority } from '../keys/authority.ts'
import { nothingPending, type CredentialBook, type KnownGateway } from './book.ts'
import { lockedError, standingRefusal } from '../grpc/standing.ts'
import type { Endpoints } from './endpoint.ts'
import { certificateMessage, clientCertificates, type CredentialMessage, type IssuedLeaf } from './issue.ts'
import { verifyRequest } from './proofs.ts'
import { packChain, unpackChain, type CertificateRow, type CredentialStore } from './store.ts'

export type Credentials = ReturnType<typeof credentialService>

/** A first certificate that is made and not yet committed. */
export type PreparedCertificate = {
  /** In the transaction that makes the gateway. */
  store(tx: Tx): Promise<void>
  /** For the trail. */
  detail: { serial: string; notAfter: string }
  /** After it: from now on the certificate lets its gateway in. */
  committed(): void
  message(sequence: number): CredentialMessage
}

/** The certificates of gateways: first, next, locked. Recovery of an expired one is in `recovery.ts`. */
export function credentialService({
  db,
  store,
  book,
  registry,
  gateways,
  authority,
  endpoints,
  audit,
  clock,
  timers,
  log,
}: {
  db: Pick<Db, 'write'>
  store: CredentialStore
  book: CredentialBook
  registry: Pick<Registry, 'get'>
  gateways: Pick<Gateways, 'lock' | 'onEnding'>
  authority: Authority
  endpoints: Endpoints
  audit: Audit
  clock: Clock
  timers: Timers
  log: Log
}) {
  const certificates = clientCertificates({ authority, clock, timers })
  const turns = new Map<string, Promise<unknown>>() // by id of the gateway
  book.onPromoted((row) => void keep(row))
  gateways.onEnding((id, why) => {
    if (why === 'deleted') book.forget(id)
  })
  return { load, first, renew, replace, oneAtATime, refuseCopy }

  async function load(): Promise<void> {
    for (const row of await store.listAll()) book.put(row)
  }

  /** Signed before the transaction: inside one nothing but the database is waited for. */
  async function first(
    gateway: { id: string; org: string; workspace: string },
    publicKey: Uint8Array<ArrayBuffer>,
  ): Promise<PreparedCertificate> {
    const leaf = await certificates.issue(gateway, publicKey)
    const row: CertificateRow = {
      gatewayId: gateway.id,
      serial: leaf.serial,
      notAfter: isoTime(leaf.notAfter),
      publicKey,
      issuedAt: isoTime(clock.now()),
      ...nothingPending,
      previousKey: null,
      renewals: 0,
      recoveries: 0,
    }
    return {
      store: (tx) => store.insert(tx, row),
      detail: { serial: row.serial, notAfter: row.notAfter },
      committed: () => book.put(row),
      message: (sequence) => certificateMessage(sequence, leaf),
    }
  }

  async function renew(
    { csr, credentialSequence, idempotencyKey, endpointCsr }: RenewCredentialRequest,
    { identity, source }: { identity: GatewayIdentity; source: string },
  ): Promise<RenewCredentialResponse> {
    const gateway = knownGateway(identity)
    if (csr.length === 0 && endpointCsr.length === 0) throw new McpgError('invalid', 'csr_invalid', 'csr or endpointCsr must be there.')
    const endpointCertificate = endpointCsr.length > 0 ? await endpointOf(endpointCsr) : undefined
    const next = csr.length > 0 ? await renewIdentity() : undefined
    return create(RenewCredentialResponseSchema, {
      ...(next && { credential: next.message, overlapUntil: timestampFromMs(next.overlapUntil) }),
      trustBundle: authority.roots(),
      ...(endpointCertificate && { endpointCertificate }),
    })

    async function endpointOf(request: Uint8Array): Promise<X509Chain> {
      const refusal = identity.standing === 'superseded' ? standingRefusal(identity.standing) : null
      if (refusal) throw refusal
      const { chain, names } = await endpoints.issue(request, gateway.id, source)
      const target = { ...targetOf(gateway), detail: { names } }
      await db.write((tx) => audit.record(tx, gatewayCaller(gateway.id, source), 'gateway.certify_endpoint', target))
      return chain
    }

    async function renewIdentity() {
      if (idempotencyKey.length !== 16) throw new McpgError('invalid', 'renew_request_invalid', 'idempotencyKey must be 16 random bytes.')
      const { publicKey } = await verifyRequest(csr)
      const key = Buffer.from(idempotencyKey).toString('hex')
      return await oneAtATime(gateway.id, async () => {
        const row = book.get(gateway.id)
        if (!row)
          throw new McpgError('failed_precondition', 'credential_not_renewable', 'A bearer does not expire; it is revoked.', {
            hint: 'send endpointCsr alone to renew the certificate of the endpoint',
          })
        const repeated = answered(row, gateway, key, publicKey)
        if (repeated) return repeated
        if (identity.standing === 'superseded' || Number(credentialSequence) !== gateway.credentialSequence)
          await refuseCopy(gateway, source, Number(credentialSequence))
        return await replace(gateway, source, { publicKey, renewalKey: key, action: 'gateway.renew' })
      })
    }
  }

  /** The row of whoever calls. A replaced certificate passes: that somebody still has one is what shows a copy. */
  function knownGateway({ gatewayId, standing }: GatewayIdentity): KnownGateway {
    const refusal = standing === 'superseded' ? null : standingRefusal(standing)
    if (refusal) throw refusal
    const gateway = registry.get(gatewayId)
    if (!gateway) throw standingRefusal('deleted')!
    return gateway
  }

  /** The same renewal again, because its answer was lost: the same certificate. */
  function answered(row: CertificateRow, gateway: KnownGateway, key: string, publicKey: Uint8Array) {
    if (row.renewalKey !== key || !row.pendingChain || !row.pendingKey || !Buffer.from(row.pendingKey).equals(publicKey)) return null
    const leaf = {
      notAfter: Date.parse(row.pendingNotAfter!),
      renewAfter: Date.parse(row.pendingRenewAfter!),
      chain: unpackChain(row.pendingChain),
    }
    return { message: certificateMessage(gateway.credentialSequence, leaf), overlapUntil: Date.parse(row.overlapUntil!) }
  }

  /**
   * Makes the next certificate of a gateway; the current one counts until the new one is used, and no longer than the overlap.
   * To be called by `oneAtATime`.
   */
  async function replace(
    gateway: KnownGateway,
    source: string,
    {
      publicKey,
      renewalKey,
      action,
    }: { publicKey: Uint8Array<ArrayBuffer>; renewalKey: string | null; action: 'gateway.renew' | 'gateway.recover' },
  ) {
    const before = book.get(gateway.id)!
    const leaf = await certificates.issue(gateway, publicKey)
    const sequence = gateway.credentialSequence + 1
    const overlapUntil = clock.now() + timers.renewalOverlap
    const row: CertificateRow = { ...before, ...pending(leaf, publicKey), renewalKey, overlapUntil: isoTime(overlapUntil), ...counted() }
    await db.write(async (tx) => {
      await store.update(tx, row)
      await store.setSequence(tx, gateway.id, sequence)
      await audit.record(tx, gatewayCaller(gateway.id, source), action, {
        ...targetOf(gateway),
        detail: { serial: leaf.serial, notAfter: isoTime(leaf.notAfter), sequence },
      })
    })
    book.put(row)
    gateway.credentialSequence = sequence
    return { message: certificateMessage(sequence, leaf), overlapUntil }

    /** Recoveries are counted in a row: an ordinary renewal shows that the gateway is well. The same key again is the same recovery. */
    function counted(): Pick<CertificateRow, 'renewals' | 'recoveries'> {
      if (action === 'gateway.renew') return { renewals: before.renewals + 1, recoveries: 0 }
      const isRepeated = before.pendingKey !== null && before.renewalKey === null && Buffer.from(before.pendingKey).equals(publicKey)
      return { renewals: before.renewals, recoveries: before.recoveries + (isRepeated ? 0 : 1) }
    }
  }

  function pending({ serial, notAfter, renewAfter, chain }: IssuedLeaf, publicKey: Uint8Array<ArrayBuffer>) {
    return {
      issuedAt: isoTime(clock.now()),
      pendingSerial: serial,
      pendingNotAfter: isoTime(notAfter),
      pendingRenewAfter: isoTime(renewAfter),
      pendingKey: publicKey,
      pendingChain: packChain(chain),
    }
  }

  /** Whoever shows an old credential with a valid proof has a copy of the key, or the one that is in use is the copy: nobody gets in. */
  async function refuseCopy(gateway: KnownGateway, source: string, presented: number): Promise<never> {
    log.error(
      { gateway: gateway.name, source, presented, expected: gateway.credentialSequence },
      'a copied identity was used; it is locked',
    )
    await gateways.lock(gatewayCaller(gateway.id, source), gateway.id, {
      reason: 'credential_clone_suspected',
      presented,
      expected: gateway.credentialSequence,
    })
    throw lockedError()
  }

  async function keep(row: CertificateRow): Promise<void> {
    // Lost in a crash it is made up for: the pending certificate stands in the table and is promoted again at its next use.
    await db
      .write((tx) => store.update(tx, row))
      .catch((error: unknown) => log.warn({ err: error }, 'the use of a new certificate was not written'))
  }

  /** Two renewals of one gateway never run at once: each decides by what the one before left. */
  async function oneAtATime<T>(gatewayId: string, work: () => Promise<T>): Promise<T> {
    const before = turns.get(gatewayId) ?? Promise.resolve()
    const mine = before.then(work, work)
    turns.set(gatewayId, mine)
    return await mine.finally(() => {
      if (turns.get(gatewayId) === mine) turns.delete(gatewayId)
    })
  }
}

export const isoTime = (ms: number): string => new Date(ms).toISOString()

export const targetOf = ({ org, workspace, name, id }: KnownGateway) => ({ org, workspace, kind: 'Gateway', name, uid: id })
