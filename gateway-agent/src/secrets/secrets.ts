import { fullJitter } from '@mcpg/core/backoff'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { secretsOf, type ConfigServer, type SecretReference } from '@mcpg/proto/gateway-config'
import { SecretFailure } from '@mcpg/proto/gen/delivery'
import { maxSecretsPerRequest } from '@mcpg/proto/secret-sealing'
import type { Slots } from '../config/slots.ts'
import type { VerifiedConfig } from '../config/verify.ts'
import { StartFailure } from '../servers/runtimes/runtime.ts'
import type { SecretDelivery } from './delivery.ts'
import { secretId, secretText } from './resolved.ts'
import { secretOpener, type SealedSecret } from './sealed.ts'

export type GatewaySecrets = ReturnType<typeof gatewaySecrets>

/** How long a server that starts waits for an answer of the control plane; then its own back-off decides. */
const askMs = 10_000

/**
 * The values that configs name, sealed as they were delivered: in memory, and beside the slot of every config that needs them, so that
 * a start without the control plane and a rollback find the versions that worked. They are opened when a server starts.
 */
export function gatewaySecrets({
  gatewayId,
  sealingKey,
  slots,
  delivery,
  clock,
  timers,
  log,
  random = Math.random,
}: {
  gatewayId: string
  sealingKey: string
  slots: Pick<Slots, 'readSecrets' | 'writeSecrets'>
  delivery: Pick<SecretDelivery, 'fetch' | 'onAttach'>
  clock: Clock
  timers: Pick<Timers, 'reconnectBase' | 'reconnectMax'>
  log: Log
  random?: () => number
}) {
  const unseal = secretOpener({ gatewayId, sealingKey })
  const held = new Map<string, SealedSecret>()
  /** What the control plane will not give, and why; asked for again with the next config and on the next stream. */
  const refused = new Map<string, string>()
  /** Configs whose values are held, by hash. */
  const configs = new Map<string, VerifiedConfig>()
  delivery.onAttach(() => refused.clear())
  return { stage, load, store, keep, open }

  /**
   * Gets what a config needs and this gateway does not have; null when nothing is missing. While the control plane cannot answer it waits,
   * until `signal` aborts, and tells `onWaiting` so: that is no reason to fail a config. What is refused is left out; its server says so.
   */
  function stage(config: VerifiedConfig, signal: AbortSignal, onWaiting: (message: string) => void): Promise<void> | null {
    return neededBy(config).length === 0 ? null : provide(config, signal, onWaiting)
  }

  async function provide(config: VerifiedConfig, signal: AbortSignal, onWaiting: (message: string) => void): Promise<void> {
    await load(config)
    const needed = neededBy(config)
    for (const reference of needed) refused.delete(secretId(reference))
    for (let attempt = 0; !signal.aborted; attempt++) {
      const why = await ask(needed, config.header.generation, signal)
      const missing = missingOf(needed)
      if (missing.length === 0 || signal.aborted) break
      onWaiting(`Waiting for ${missing.map(secretText).join(', ')}: ${why}.`)
      if (attempt === 0) log.warn({ secrets: missing.map(secretText), reason: why }, 'a config waits for its secrets')
      await pause(fullJitter(attempt, { baseMs: timers.reconnectBase, maxMs: timers.reconnectMax }, random), signal)
    }
    if (signal.aborted) return
    // In memory they serve; `store` is asked again before the config becomes the last known good one.
    await store(config).catch((error: unknown) => log.error({ err: error }, 'the secrets of a config could not be stored'))
  }

  /** Takes in what lies beside the slot of a config. */
  async function load(config: VerifiedConfig): Promise<void> {
    if (neededBy(config).length === 0) return
    configs.set(config.header.configHash, config)
    for (const sealed of await slots.readSecrets(config.header.configHash))
      if (!held.has(secretId(sealed))) held.set(secretId(sealed), sealed)
  }

  /** Puts everything that a config needs and that is here beside its slot. Rejects when the disk refuses it. */
  async function store(config: VerifiedConfig): Promise<void> {
    const needed = neededBy(config)
    if (needed.length > 0)
      await slots.writeSecrets(
        config.header.configHash,
        needed.flatMap((one) => held.get(secretId(one)) ?? []),
      )
  }

  /** Forgets what only other configs need. */
  function keep(config: VerifiedConfig): void {
    const ids = new Set(neededBy(config).map(secretId))
    for (const hash of configs.keys()) if (hash !== config.header.configHash) configs.delete(hash)
    for (const id of held.keys()) if (!ids.has(id)) held.delete(id)
  }

  /** The values of one server by id, opened. Rejects with StartFailure `SecretUnavailable` that names each that is not to be had. */
  async function open(server: ConfigServer, signal: AbortSignal): Promise<ReadonlyMap<string, string>> {
    const needed = distinct(secretsOf(server))
    const lost = missingOf(needed)
    let why = ''
    if (lost.length > 0) {
      why = await ask(lost, newestGeneration(), signal)
      for (const config of configs.values())
        await store(config).catch((error: unknown) => log.error({ err: error }, 'the secrets of a config could not be stored'))
    }
    const values = new Map<string, string>()
    const failures: string[] = []
    for (const reference of needed) {
      const id = secretId(reference)
      const sealed = held.get(id)
      if (!sealed) failures.push(`${secretText(reference)}: ${refused.get(id) ?? why}`)
      else
        try {
          values.set(id, await unseal(sealed))
        } catch {
          // The next start asks for it anew.
          held.delete(id)
          failures.push(`${secretText(reference)}: what is stored of it does not open`)
        }
    }
    if (failures.length > 0) throw new StartFailure('SecretUnavailable', failures.join('; '))
    return values
  }

  /** One round of questions for what is neither held nor refused. Never rejects; answers why something is still missing. */
  async function ask(references: SecretReference[], generation: number, signal: AbortSignal): Promise<string> {
    const missing = missingOf(references)
    const deadline = new AbortController()
    const cancel = clock.after(askMs, () => deadline.abort())
    try {
      for (let from = 0; from < missing.length; from += maxSecretsPerRequest)
        await askFor(missing.slice(from, from + maxSecretsPerRequest), generation, AbortSignal.any([signal, deadline.signal]))
      return 'the control plane could not read it'
    } catch (error) {
      if (deadline.signal.aborted) return `the control plane did not answer within ${askMs / 1000} s`
      return error instanceof Error ? error.message : String(error)
    } finally {
      cancel()
    }
  }

  async function askFor(references: SecretReference[], generation: number, signal: AbortSignal): Promise<void> {
    const refs = references.map(({ version, ...rest }) => ({
      $typeName: 'mcpg.fleet.v1.SecretRef' as const,
      ...rest,
      version: BigInt(version),
    }))
    const { values } = await delivery.fetch({ generation: BigInt(generation), refs }, signal)
    for (const [index, reference] of references.entries()) {
      const value = values[index]
      const id = secretId(reference)
      if (value?.failure === SecretFailure.FORBIDDEN) refused.set(id, 'no config of this gateway references it')
      else if (value?.failure === SecretFailure.NOT_FOUND) refused.set(id, 'the control plane does not have it any more')
      else if (value?.failure === SecretFailure.UNSPECIFIED)
        held.set(id, { ...reference, encapsulatedKey: value.encapsulatedKey, ciphertext: value.ciphertext })
    }
  }

  function missingOf(references: SecretReference[]): SecretReference[] {
    return references.filter((reference) => !held.has(secretId(reference)) && !refused.has(secretId(reference)))
  }

  function newestGeneration(): number {
    return Math.max(0, ...Array.from(configs.values(), ({ header }) => header.generation))
  }

  /** Ends early with a new stream: whatever kept the last one from answering is over. */
  function pause(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = () => {
        cancel()
        forget()
        signal.removeEventListener('abort', end)
        resolve()
      }
      const cancel = clock.after(ms, end)
      const forget = delivery.onAttach(end)
      signal.addEventListener('abort', end, { once: true })
      if (signal.aborted) end()
    })
  }
}

/** What is stopped needs nothing. */
const neededBy = ({ servers }: VerifiedConfig): SecretReference[] =>
  distinct(servers.flatMap(({ config }) => (config.state === 'running' ? secretsOf(config) : [])))

const distinct = (references: SecretReference[]): SecretReference[] => [
  ...new Map(references.map((reference) => [secretId(reference), reference])).values(),
]
