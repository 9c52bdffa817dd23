/*
 * What runs, what shall run, and what ran last when it worked (`docs/protocol.md`).
 *
 *              offer                 checks ok             proven             probation over
 *   (nothing) ──────▶ (received) ──────────────▶ STAGED ─▶ APPLYING ─▶ PROBATION ─▶ APPLIED: it is the LKG
 *                          │ refused                          │ failed      │ failed         a newer offer: SUPERSEDED
 *                       REJECTED: nothing was touched      ROLLED_BACK: the LKG runs again, the hash is quarantined; a config that was
 *                                                          SUPERSEDED in its probation and is still ready runs on where APPLYING failed
 *
 *   STAGED      verified and on disk; from here a crash takes it up again. It waits here for secrets while the control plane is away
 *   APPLYING    new and changed servers start beside the old ones, which serve
 *   PROBATION   routed; every gating instance must stay ready for `probationMs`
 *
 * Checks, in this order: BAD_SIGNATURE, (INVALID header), WRONG_GATEWAY, STALE_GENERATION, CONFLICTING_GENERATION, HASH_MISMATCH,
 * INVALID, LOCAL_POLICY, QUARANTINED, STORAGE. The same generation with the same hash is taken again.
 *
 * Boot: the LKG is routed at once (else the newest readable slot, else nothing), then a candidate without verdict is taken up on top of
 * it, counted before; the third boot that did not survive it was the last (CRASH_LOOP). Offers are handled one after the other; at most
 * one candidate is under way. Nothing here knows whether a control plane is reachable.
 */
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { ConfigOffer } from '@mcpg/proto/gen/gateway'
import type { ConfigState } from '@mcpg/proto/status'
import type { Policy } from '../policy/policy.ts'
import type { GatewaySecrets } from '../secrets/secrets.ts'
import type { DesiredServer, ServerFailure, ServerReport, Servers } from '../servers/supervision.ts'
import { bootFrom } from './boot.ts'
import { checkOffer, checkPolicy, type Checked } from './check.ts'
import { failedReport, forbiddenReport, gatingServers, isReady, standing, type Contender } from './gating.ts'
import type { Slots, StateRecord, Stored, Verdict } from './slots.ts'
import { isRefusal, type VerifiedConfig } from './verify.ts'

/** A verdict or a step on the way to it; `nonce` is that of the offer on the present stream, 0 when unsolicited. */
export type ConfigReport = Verdict & { nonce: bigint }
/** `before` is what was said before it, of this config or another; null at first. */
export type ReportListener = (report: ConfigReport, before: ConfigReport | null) => void

/** Lower-case hex; null for none. */
export type Hashes = { applied: string | null; lkg: string | null; lastOffered: string | null; highestGeneration: number }

export type ConfigMachine = ReturnType<typeof configMachine>

type Candidate = {
  config: VerifiedConfig
  nonce: bigint
  /** When it was received, monotonic. */
  since: number
  state: 'staged' | 'applying' | 'probation'
  /** Aborted with `superseded` or `stopping`; no verdict then. */
  ending: AbortController
  done: Promise<void>
}

const maxQuarantine = 32
const maxBootAttempts = 3
/** How long a rollback waits for the old servers before it routes to them anyway: what they replace is broken. */
const restoreWaitMs = 5_000
const storeRetryMs = 5_000

export function configMachine({
  gateway,
  slots,
  secrets,
  servers,
  policy,
  clock,
  log,
}: {
  gateway: { gatewayId: string; keys: Uint8Array[] }
  slots: Slots
  secrets: Pick<GatewaySecrets, 'load' | 'stage' | 'store' | 'keep'>
  servers: Servers
  policy: Policy
  clock: Clock
  log: Log
}) {
  let record: StateRecord = { v: 1, gatewayId: gateway.gatewayId, highest: null, candidate: null, quarantine: [], verdict: null }
  let running: VerifiedConfig | null = null
  let lkg: VerifiedConfig | null = null
  let candidate: Candidate | null = null
  let contenders: Contender[] = []
  let leftOut: ServerReport[] = []
  let last: ConfigReport | null = null
  let lastOffered: string | null = null
  let inbox: Promise<void> = Promise.resolve()
  let isStopping = false
  let cancelLook = () => {}
  let unsubscribe = () => {}
  const listeners = new Set<ReportListener>()
  const runningListeners = new Set<() => void>()

  return {
    start,
    stop,
    offer,
    forgetNonce,
    hashes,
    report: () => last,
    running: () => running,
    /** Another config runs, or the one before runs again. */
    onRunning: (listener: () => void) => void runningListeners.add(listener),
    leftOut: missing,
    generations,
    onReport,
    settled,
  }

  async function start(): Promise<void> {
    const boot = await bootFrom({ slots, gateway, log })
    record = boot.record
    if (record.verdict) last = { ...record.verdict, nonce: 0n }
    lkg = boot.lkg
    if (lkg) {
      await secrets.load(lkg)
      route(lkg)
    }
    if (boot.corrupt) say({ ...boot.corrupt, state: 'rejected', reason: 'SLOT_CORRUPT', elapsedMs: 0, servers: [], nonce: 0n })
    unsubscribe = servers.onReport(() => void look())
    if (record.candidate) await takeUp(record.candidate, boot.candidate)
  }

  /** Ends without a verdict on what is under way: the next start takes it up again, and this stop does not count against it. */
  async function stop(): Promise<void> {
    isStopping = true
    unsubscribe()
    cancelLook()
    candidate?.ending.abort('stopping')
    await Promise.all([inbox, candidate?.done])
    if (record.candidate && record.candidate.attempts > 0) await trySave({ ...record, candidate: { ...record.candidate, attempts: 0 } })
    await slots.idle()
  }

  /** Returns at once; what becomes of it is told by `onReport`. */
  function offer(message: ConfigOffer): void {
    inbox = inbox
      .then(() => (isStopping ? undefined : take(message)))
      .catch((error: unknown) => log.error({ err: error }, 'an offered config was lost'))
  }

  /** A nonce means nothing on another stream. */
  function forgetNonce(): void {
    if (candidate) candidate.nonce = 0n
    if (last) last = { ...last, nonce: 0n }
  }

  function hashes(): Hashes {
    return {
      applied: running?.header.configHash ?? null,
      lkg: lkg?.header.configHash ?? null,
      lastOffered: lastOffered ?? record.candidate?.hash ?? record.highest?.hash ?? null,
      highestGeneration: record.highest?.generation ?? 0,
    }
  }

  /** Servers of what runs that the owner of the host forbids, as failed; but for those of which another revision is on its way. */
  function missing(): ServerReport[] {
    if (leftOut.length === 0) return leftOut
    const known = new Set(servers.report().map((report) => report.name))
    return leftOut.filter((report) => !known.has(report.name))
  }

  function generations() {
    return { applied: running?.header.generation ?? 0, lkg: lkg?.header.generation ?? 0, highest: record.highest?.generation ?? 0 }
  }

  function onReport(listener: ReportListener): () => void {
    listeners.add(listener)
    return () => void listeners.delete(listener)
  }

  /** Resolves when every offer made so far has been handled and nothing is under way. */
  async function settled(): Promise<void> {
    await inbox
    await candidate?.done
  }

  async function take(message: ConfigOffer): Promise<void> {
    const since = clock.monotonic()
    lastOffered = Buffer.from(message.configHash).toString('hex')
    const checked = checkOffer(message, { gateway, policy, record })
    if (isRefusal(checked)) return refuse(message, since, checked)
    const { header } = checked
    if (candidate && isSame(candidate.config, checked)) {
      candidate.nonce = message.nonce
      return step(candidate, candidate.state)
    }
    const next: Candidate = {
      config: checked,
      nonce: message.nonce,
      since,
      state: 'staged',
      ending: new AbortController(),
      done: Promise.resolve(),
    }
    if (!candidate && running === lkg && lkg && isSame(lkg, checked)) return step(next, 'applied')
    try {
      await slots.writeBytes(header.configHash, checked.bytes)
      await slots.point('candidate', storedOf(checked))
      const point = { generation: header.generation, hash: header.configHash }
      await save({ ...record, highest: point, candidate: { ...point, attempts: 0 } })
    } catch (error) {
      return refuse(message, since, { reason: 'STORAGE', message: `It could not be stored: ${codeOf(error)}.` })
    }
    step(next, 'staged')
    await supersede()
    if (!isStopping) begin(next)
  }

  function refuse(
    message: ConfigOffer,
    since: number,
    { reason, message: why, servers: named = [] }: Extract<Checked, { reason: string }>,
  ): void {
    const hash = Buffer.from(message.configHash).toString('hex')
    log.warn({ generation: Number(message.generation), hash, reason }, `config refused: ${why}`)
    say({
      generation: Number(message.generation),
      hash,
      state: 'rejected',
      reason,
      message: why,
      elapsedMs: clock.monotonic() - since,
      servers: named,
      nonce: message.nonce,
    })
  }

  async function supersede(): Promise<void> {
    if (!candidate) return
    const old = candidate
    old.ending.abort('superseded')
    await old.done
    // It may have come to its verdict in the meantime.
    if (candidate === old) step(old, 'superseded')
    candidate = null
  }

  function begin(next: Candidate): void {
    candidate = next
    next.done = decide(next)
  }

  async function decide(next: Candidate): Promise<void> {
    try {
      await apply(next)
    } catch (error) {
      if (isStopping) return
      log.error({ err: error }, 'applying a config failed')
      await rollBack(next, [], 'The gateway failed while applying it; its log has the details.')
    }
  }

  async function apply(next: Candidate): Promise<void> {
    const { config, ending } = next
    const fetching = secrets.stage(config, ending.signal, (message) => say({ ...verdictOf(next, 'staged'), message, nonce: next.nonce }))
    if (fetching) await fetching
    if (ending.signal.aborted) return
    step(next, 'applying')
    const gating = gatingServers(config, lkg)
    const change = servers.change(config.servers, new Set(gating.map((server) => server.config.name)))
    const proof = await Promise.race([change.proven, aborted(ending.signal)])
    // Superseded: the change that follows takes over what is starting alike and ends the rest.
    if (!proof) return
    if (proof.failures.length > 0) {
      // Not waited for: a server that takes its time to end must not hold up the verdict or the next candidate.
      void change.abort().catch((error: unknown) => log.error({ err: error }, 'a server that was started could not be ended'))
      return rollBack(next, proof.failures)
    }
    change.commit()
    leftOut = []
    run(config)
    await attempt('the pointer to what runs', () => slots.point('current', storedOf(config)))
    // With nothing to go back to a probation decides nothing.
    const probationMs = lkg && gating.length > 0 ? config.header.probationMs : 0
    if (probationMs > 0) {
      step(next, 'probation')
      const failure = await change.probation(probationMs, ending.signal)
      if (failure && !ending.signal.aborted) return rollBack(next, [failure])
      if (ending.signal.aborted) {
        contenders.push({ config, gating, probationMs })
        return
      }
    }
    await accept(next)
  }

  async function accept(next: Candidate): Promise<void> {
    const { config, ending } = next
    const verdict = verdictOf(next, 'applied')
    const decided = {
      ...record,
      candidate: null,
      verdict,
      quarantine: record.quarantine.filter((hash) => hash !== config.header.configHash),
    }
    // It runs and is good; a full disk only delays that it is remembered.
    const remember = async () => {
      await secrets.store(config)
      await slots.point('lkg', storedOf(config))
      await save(decided)
    }
    while (!(await attempt('the last known good config', remember))) {
      await Promise.race([new Promise<void>((resolve) => clock.after(storeRetryMs, resolve)), aborted(ending.signal)])
      if (ending.signal.aborted) return
    }
    lkg = config
    contenders = []
    candidate = null
    secrets.keep(config)
    await attempt('tidying up', () => slots.collect())
    say({ ...verdict, nonce: next.nonce })
  }

  async function rollBack(next: Candidate, failures: ServerFailure[], message?: string): Promise<void> {
    const hash = next.config.header.configHash
    const reason = reasonOf(failures)
    const verdict: Verdict = {
      ...verdictOf(next, 'rolled_back'),
      reason,
      message: message ?? failures.map((failure) => `server ${failure.server}: ${failure.reason}: ${failure.message}`).join('; '),
      servers: failures.map(failedReport),
    }
    log.warn(
      { generation: verdict.generation, hash, reason, servers: failures.map((failure) => failure.server) },
      `config rolled back: ${verdict.message}`,
    )
    // Order matters: the verdict is on disk before the LKG is routed, so that a crash in between does not try it again.
    const quarantine = [...record.quarantine.filter((one) => one !== hash), hash].slice(-maxQuarantine)
    await trySave({ ...record, candidate: null, quarantine, verdict })
    if (!stands(running)) {
      await restore()
      contenders = []
    }
    candidate = null
    say({ ...verdict, elapsedMs: clock.monotonic() - next.since, nonce: next.nonce })
  }

  /** A config that was replaced in its probation serves on while its servers do: what failed after it was never routed. */
  function stands(config: VerifiedConfig | null): boolean {
    const contender = contenders.find((one) => one.config === config)
    return contender !== undefined && isReady(contender, servers.report())
  }

  async function restore(): Promise<void> {
    const target = lkg
    if (running === target) return
    const now = new Map(running?.servers.map((server) => [server.config.name, server.subHash]))
    const back = target ? allowed(target) : []
    const changed = back.filter((server) => server.config.state === 'running' && now.get(server.config.name) !== server.subHash)
    const change = servers.change(back, new Set(changed.map((server) => server.config.name)))
    await Promise.race([change.proven, new Promise<void>((resolve) => clock.after(restoreWaitMs, resolve))])
    change.commit()
    run(target)
    if (target) await attempt('the pointer to what runs', () => slots.point('current', storedOf(target)))
  }

  /** Routes a config without waiting for a server of it: it worked before. */
  function route(config: VerifiedConfig): void {
    servers.change(allowed(config), new Set()).commit()
    run(config)
  }

  function run(config: VerifiedConfig | null): void {
    running = config
    for (const listener of runningListeners) listener()
  }

  /** The owner of the host may have forbidden since what ran before; the rest of the config still serves, and `missing` says so. */
  function allowed(config: VerifiedConfig): DesiredServer[] {
    leftOut = []
    return config.servers.filter((server) => {
      const violation = policy.check(server.config)
      if (!violation) return true
      log.error({ server: violation.server, rule: violation.rule }, `left out: ${violation.message}`)
      leftOut.push(forbiddenReport(server, violation.message))
      return false
    })
  }

  /** A candidate of the last life: counted before it is touched, so that one that kills the agent is not tried for ever. */
  async function takeUp(
    { generation, hash, attempts }: NonNullable<StateRecord['candidate']>,
    config: VerifiedConfig | null,
  ): Promise<void> {
    const base = { generation, hash, elapsedMs: 0, servers: [], nonce: 0n }
    const give = async (report: Pick<Verdict, 'state' | 'reason' | 'message'> & Partial<Verdict>, quarantine = record.quarantine) => {
      const { nonce: _, ...verdict } = { ...base, ...report }
      await trySave({ ...record, candidate: null, quarantine, verdict })
      say({ ...verdict, nonce: 0n })
    }
    if (!config) return give({ state: 'rejected', reason: 'SLOT_CORRUPT', message: 'Its stored copy is damaged.' })
    const forbidden = checkPolicy(config.servers, policy)
    if (forbidden) return give({ state: 'rejected', ...forbidden })
    if (attempts >= maxBootAttempts)
      return give(
        { state: 'rolled_back', reason: 'CRASH_LOOP', message: `The gateway ended ${attempts} times in a row while applying it.` },
        [...record.quarantine.filter((one) => one !== hash), hash].slice(-maxQuarantine),
      )
    if (!(await trySave({ ...record, candidate: { generation, hash, attempts: attempts + 1 } })))
      return say({
        ...base,
        state: 'rejected',
        reason: 'STORAGE',
        message: 'It cannot be taken up again: the state folder cannot be written.',
      })
    begin({ config, nonce: 0n, since: clock.monotonic(), state: 'staged', ending: new AbortController(), done: Promise.resolve() })
  }

  /** Lets the LKG advance to a superseded config whose instances have meanwhile been ready for long enough. */
  async function look(): Promise<void> {
    if (contenders.length === 0) return
    cancelLook()
    let wait = Infinity
    let newest: Contender | null = null
    const reports = servers.report()
    contenders = contenders.filter((contender) => {
      const state = standing(contender, reports, clock.now())
      if (state === 'passed') newest = contender
      else if (state !== 'lost') wait = Math.min(wait, state)
      return typeof state === 'number'
    })
    if (wait < Infinity) cancelLook = clock.after(wait, () => void look())
    if (newest) await advance(newest)
  }

  async function advance({ config }: Contender): Promise<void> {
    if (lkg && lkg.header.generation >= config.header.generation) return
    lkg = config
    await attempt('the last known good config', () => slots.point('lkg', storedOf(config)))
  }

  function step(of: Candidate, state: ConfigState): void {
    if (state === 'staged' || state === 'applying' || state === 'probation') of.state = state
    say({ ...verdictOf(of, state), nonce: of.nonce })
  }

  function verdictOf({ config, since }: Candidate, state: ConfigState): Verdict {
    const { generation, configHash: hash } = config.header
    return { generation, hash, state, message: '', elapsedMs: clock.monotonic() - since, servers: [] }
  }

  function say(report: ConfigReport): void {
    const before = last
    last = report
    for (const listener of listeners) listener(report, before)
  }

  async function save(next: StateRecord): Promise<void> {
    await slots.writeRecord(next)
    record = next
  }

  /** In memory it holds even if the disk refuses it. */
  async function trySave(next: StateRecord): Promise<boolean> {
    const stored = await attempt('the state of the config', () => slots.writeRecord(next))
    record = next
    return stored
  }

  async function attempt(what: string, write: () => Promise<void>): Promise<boolean> {
    try {
      await write()
      return true
    } catch (error) {
      log.error({ err: error }, `could not store ${what}: ${codeOf(error)}`)
      return false
    }
  }
}

function reasonOf(failures: ServerFailure[]): 'INSTALL_FAILED' | 'MISSING_SECRET' | 'UNHEALTHY' {
  if (failures.length === 0) return 'UNHEALTHY'
  if (failures.every(({ install }) => install)) return 'INSTALL_FAILED'
  return failures.every(({ reason }) => reason === 'SecretUnavailable') ? 'MISSING_SECRET' : 'UNHEALTHY'
}

const isSame = (one: VerifiedConfig, other: VerifiedConfig) =>
  one.header.generation === other.header.generation && one.header.configHash === other.header.configHash

function storedOf({ header, signedHeader, signature, signingKeyId }: VerifiedConfig): Stored {
  return { generation: header.generation, hash: header.configHash, signedHeader, signature, signingKeyId }
}

const codeOf = (error: unknown) => (error as NodeJS.ErrnoException).code ?? (error instanceof Error ? error.message : String(error))

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null)
    else signal.addEventListener('abort', () => resolve(null), { once: true })
  })
}
