import { create } from '@bufbuild/protobuf'
import canonicalize from 'canonicalize'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import { accessSignedPart } from '@mcpg/proto/access-document'
import { AccessFailure, AccessOfferSchema, type AccessStatus } from '@mcpg/proto/gen/delivery'
import { GatewayCapability } from '@mcpg/proto/gen/types'
import type { Keys } from '../../keys/keys.ts'
import type { Line, Talk } from '../../link/service.ts'
import type { AccessDocuments } from './documents.ts'
import { sha256, type WorkspacePath } from './entries.ts'

/** Documents made ready to send; gateways of a workspace are mostly at the same version. */
const keptBodies = 32

type Listening = {
  line: Line
  path: WorkspacePath
  /** The version that the gateway says it goes by. */
  has: number
  /** An offer is being made or on its way; `again`: something changed meanwhile. */
  isBusy: boolean
  again: boolean
  stopWaiting: () => void
}

/**
 * Sends gateways who may call, at once and in no rollout: one offer at a time is on its way, and what changed meanwhile goes together with
 * the next. A gateway that is behind gets the difference, one that is unsure everything.
 */
export function accessOffers({
  documents,
  placeOf,
  keys,
  clock,
  ackDeadlineMs,
  log,
}: {
  documents: AccessDocuments
  placeOf: (gatewayId: string) => WorkspacePath | undefined
  keys: Pick<Keys, 'signAccess'>
  clock: Clock
  ackDeadlineMs: number
  log: Log
}): Talk {
  const listening = new Map<Line, Listening>()
  const bodies = new Map<string, { bytes: Uint8Array<ArrayBuffer>; hash: Uint8Array }>()
  documents.onChange(({ org, workspace }) => {
    for (const one of listening.values()) if (one.path.org === org && one.path.workspace === workspace) send(one)
  })
  return { frames: ['accessStatus'], opened, heard, closed }

  function opened(line: Line): void {
    const path = placeOf(line.gatewayId)
    if (!path) return
    const one: Listening = { line, path, has: line.accessVersion(), isBusy: false, again: false, stopWaiting: () => {} }
    listening.set(line, one)
    send(one)
  }

  function heard(line: Line, frame: Parameters<Talk['heard']>[1]): void {
    const one = listening.get(line)
    if (!one || frame.case !== 'accessStatus') return
    void answered(one, frame.value).catch((error: unknown) =>
      log.error({ err: error, gateway: line.gatewayId }, 'an access status could not be heeded'),
    )
  }

  function closed(line: Line): void {
    listening.get(line)?.stopWaiting()
    listening.delete(line)
  }

  async function answered(one: Listening, { version, failure, message }: AccessStatus): Promise<void> {
    const about = { gateway: one.line.gatewayId, message }
    if (failure === AccessFailure.BAD_SIGNATURE) log.error(about, 'a gateway refused the signature of its access document')
    if (failure === AccessFailure.STORAGE)
      log.warn(about, 'a gateway could not store its access document; it is in force until it restarts')
    if (failure === AccessFailure.STALE) await documents.raiseAbove(one.path, Number(version))
    one.has = failure === AccessFailure.BASE_UNKNOWN || failure === AccessFailure.STALE ? 0 : Number(version)
    one.stopWaiting()
    one.isBusy = false
    // What was refused for its signature would be refused again: the next change is tried.
    if (one.again || failure !== AccessFailure.BAD_SIGNATURE) send(one)
  }

  function send(one: Listening): void {
    if (one.isBusy) return void (one.again = true)
    one.isBusy = true
    one.again = false
    void attempt(one)
  }

  async function attempt(one: Listening): Promise<void> {
    const isOnItsWay = await offer(one).catch((error: unknown) => {
      log.error({ err: error, gateway: one.line.gatewayId }, 'the access document could not be offered; it is tried again')
      one.stopWaiting()
      if (listening.has(one.line)) one.stopWaiting = clock.after(ackDeadlineMs, () => send(one))
      return false
    })
    if (isOnItsWay) return
    one.isBusy = false
    if (one.again && listening.has(one.line)) send(one)
  }

  /** False when the gateway has everything, or cannot be told. */
  async function offer(one: Listening): Promise<boolean> {
    const { line, path } = one
    if (one.has > (await documents.version(path))) {
      await documents.raiseAbove(path, one.has)
      one.has = 0
    }
    const { version, baseVersion, document } = await documents.offer(path, one.has)
    if (!line.isOpen() || !line.has(GatewayCapability.ACCESS_DOCUMENT) || one.has === version) return false
    const { bytes, hash } = bodyOf(`${path.org}/${path.workspace}/${baseVersion}/${version}`, document)
    const numbers = { version: BigInt(version), baseVersion: BigInt(baseVersion) }
    const { signature, keyId } = keys.signAccess(accessSignedPart({ gatewayId: line.gatewayId, ...numbers, documentSha256: hash }))
    one.stopWaiting()
    one.stopWaiting = clock.after(ackDeadlineMs, () => {
      one.isBusy = false
      send(one)
    })
    line.push({
      case: 'accessOffer',
      value: create(AccessOfferSchema, { ...numbers, document: bytes, signature, signingKeyId: new Uint8Array(Buffer.from(keyId, 'hex')) }),
    })
    return true
  }

  function bodyOf(key: string, document: object) {
    let body = bodies.get(key)
    if (!body) {
      const bytes = new Uint8Array(Buffer.from(canonicalize(document)!))
      bodies.set(key, (body = { bytes, hash: sha256(bytes) }))
      if (bodies.size > keptBodies) bodies.delete(bodies.keys().next().value!)
    }
    return body
  }
}
