import type { JSONWebKeySet } from 'jose'
import type { Clock } from '@mcpg/core/clock'
import type { PublicKey } from '@mcpg/core/id-token'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { periodically } from '@mcpg/core/periodically'
import type { Db } from '../db/db.ts'
import type { Issuer } from './issuer.ts'

/** How soon gateways know a new key, which they cannot ask the issuer for. */
const periodMs = 60_000
/** Strangers with made-up keys make us look no more often. */
const lookAgainMs = 5_000
/** Of what a key set may have, this much goes to gateways. */
const maxKeys = 64
const factKey = 'issuer-keys'

type Known = { name: string; keys: PublicKey[] }

/**
 * The keys of the issuer for those who cannot fetch them: the newest that were ever seen, also while the issuer is away and over restarts.
 * They are looked at once a minute, whenever somebody signs in by a key that is new, and when a gateway was shown one.
 */
export function issuerKeys({
  db,
  issuer,
  clock,
  log,
}: {
  db: Pick<Db, 'read' | 'write'>
  issuer: Pick<Issuer, 'settings' | 'known' | 'onKeys'>
  clock: Clock
  log: Pick<Log, 'warn'>
}) {
  const { issuer: url } = issuer.settings
  const listeners: (() => void)[] = []
  let current: Promise<Known | null> | undefined
  let keeping: Promise<void> = Promise.resolve()
  let lookedAt = -lookAgainMs
  let isAway = false
  issuer.onKeys(({ name, keys }) => {
    const found = { name, keys: publicKeysOf(keys) }
    keeping = keeping
      .then(() => keep(found))
      .catch((error: unknown) => log.warn({ err: error, issuer: url }, 'the keys of the issuer could not be stored'))
  })
  const looks = periodically({ name: 'issuer keys', clock, firstMs: 0, everyMs: periodMs, work: look, failed: () => {} })
  const part: Part = {
    name: 'issuer keys',
    start: looks.start,
    async stop() {
      // An issuer that does not answer holds nobody up.
      void looks.stop()
      await keeping
    },
  }
  return { part, known, wanted, onChange: (listener: () => void) => void listeners.push(listener) }

  async function known(): Promise<Known | null> {
    current ??= stored()
    try {
      return await current
    } catch (error) {
      current = undefined
      throw error
    }
  }

  async function stored(): Promise<Known | null> {
    const fact = await db.read.fact.findUnique({ where: { key: factKey } })
    const { of, ...rest } = fact ? (JSON.parse(fact.value) as Known & { of: string }) : { of: undefined, name: '', keys: [] }
    return of === url ? rest : null
  }

  async function keep(found: Known): Promise<void> {
    if (JSON.stringify(await known()) === JSON.stringify(found)) return
    const value = JSON.stringify({ of: url, ...found })
    await db.write((tx) => tx.fact.upsert({ where: { key: factKey }, create: { key: factKey, value }, update: { value } }))
    current = Promise.resolve(found)
    for (const listener of listeners) listener()
  }

  /** Somebody was shown a key of this issuer that they do not know. */
  async function wanted(name: string): Promise<void> {
    if (clock.monotonic() - lookedAt >= lookAgainMs && (await known())?.name === name) looks.soon()
  }

  async function look(): Promise<void> {
    lookedAt = clock.monotonic()
    try {
      const { fetchKeys } = await issuer.known()
      await fetchKeys()
      isAway = false
    } catch (error) {
      if (!isAway) log.warn({ err: error, issuer: url }, 'the keys of the issuer cannot be fetched; gateways go on by those that are known')
      isAway = true
    }
  }
}

/** What verifies a signature, in an order of its own, as issuers shuffle theirs. */
function publicKeysOf({ keys }: JSONWebKeySet): PublicKey[] {
  const usable = keys.filter(
    ({ kty, use, key_ops: operations }) =>
      ['RSA', 'EC', 'OKP'].includes(kty ?? '') && (use ?? 'sig') === 'sig' && (operations?.includes('verify') ?? true),
  )
  const shown = usable.map((key) =>
    Object.fromEntries(publicMembers.flatMap((name) => (key[name] === undefined ? [] : [[name, String(key[name])]]))),
  )
  return shown.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1)).slice(0, maxKeys)
}

const publicMembers = ['kty', 'kid', 'alg', 'use', 'crv', 'x', 'y', 'n', 'e'] as const
