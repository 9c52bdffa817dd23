/*
 * What is said on one stream after the other: hello, heartbeats, reports, the features that talk, and what comes from the other side.
 * Keeping a stream alive is `session.ts`, having one at all `link.ts`.
 */
import { create } from '@bufbuild/protobuf'
import { durationFromMs, timestampFromMs } from '@bufbuild/protobuf/wkt'
import { randomBytes } from 'node:crypto'
import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import { HeartbeatSchema, HelloSchema, type ConnectResponse, type Welcome } from '@mcpg/proto/gen/gateway'
import type { GatewayDescription } from '@mcpg/proto/gen/types'
import type { ConfigMachine } from '../config/machine.ts'
import type { FetchSecrets, SecretDelivery } from '../secrets/delivery.ts'
import type { Servers } from '../servers/supervision.ts'
import { commandRunner } from './commands.ts'
import { inventories, type InventorySource } from './inventory.ts'
import type { Frame, Outbox } from './outbox.ts'
import { reporting } from './reporting.ts'
import { configStatusOnWire, hashesOnWire } from './wire.ts'

/** A feature that talks over the stream, from its welcome to its end. */
export type Talk = { receive?(frame: ConnectResponse['frame']): void; close(): void }

export type Talking = {
  config: ConfigMachine
  servers: Servers
  source: InventorySource
  delivery: Pick<SecretDelivery, 'attach'>
  describe: () => GatewayDescription
  activeSessions: () => number
  /** Of the access document in force, 0 for none. */
  accessVersion: () => number
  /** Each is begun anew with every stream. */
  talks: ((outbox: Outbox, welcome: Welcome) => Talk)[]
  clock: Clock
  timers: Timers
  log: Log
}

export function talkingOver({
  config,
  servers,
  source,
  delivery,
  describe,
  activeSessions,
  accessVersion,
  talks,
  clock,
  timers,
  log,
}: Talking) {
  const runCommand = commandRunner({ servers, clock })
  const inventory = inventories(source)
  const bootId = new Uint8Array(randomBytes(16))
  let previousEpoch = 0n
  let cpuBefore = process.cpuUsage()
  let warnedOfSkew = false
  let reports: ReturnType<typeof reporting> | null = null
  let talking: Talk[] = []
  let saidInHello: ReturnType<ConfigMachine['report']> = null
  return { hello, begin, receive, heartbeat, compareClocks, stop: inventory.stop }

  function hello({ instanceUid, attempt, offlineMs }: { instanceUid: string; attempt: number; offlineMs: number | null }): Frame {
    const report = config.report()
    saidInHello = report
    return {
      case: 'hello',
      value: create(HelloSchema, {
        instanceUid,
        bootId,
        previousSessionEpoch: previousEpoch,
        gatewayTime: timestampFromMs(clock.now()),
        description: describe(),
        configHashes: hashesOnWire(config.hashes()),
        ...(report && { configStatus: configStatusOnWire(report) }),
        attempt,
        accessVersion: BigInt(accessVersion()),
        ...(offlineMs !== null && { offlineFor: durationFromMs(offlineMs) }),
      }),
    }
  }

  /** The answer is called once when the stream has ended. */
  function begin(welcome: Welcome, outbox: Outbox, fetchSecrets: FetchSecrets): () => void {
    previousEpoch = welcome.sessionEpoch
    reports = reporting({ outbox, config, servers, source, inventory, describe, clock, timers })
    reports.full({ withDescription: false })
    // Nobody listened between the hello and this: what a config came to meanwhile would never be said.
    const report = config.report()
    if (report && report !== saidInHello) outbox.push('status', () => ({ case: 'configStatus', value: configStatusOnWire(report) }))
    const detach = delivery.attach(fetchSecrets)
    talking = talks.map((start) => start(outbox, welcome))
    return () => {
      for (const talk of talking.splice(0)) talk.close()
      detach()
      reports?.stop()
      reports = null
    }
  }

  function receive(frame: ConnectResponse['frame'], outbox: Outbox): void {
    switch (frame.case) {
      case 'configOffer':
        return config.offer(frame.value)
      case 'reportFullState':
        return reports?.full({ withDescription: true })
      case 'inventoryRequest':
        return reports?.sendItems(frame.value.server)
      case 'command': {
        const result = runCommand(frame.value)
        return void outbox.push('status', () => ({ case: 'commandResult', value: result }))
      }
      case 'connectionSettings': {
        const { settingsHash } = frame.value
        const message = 'This version keeps the settings of its enrollment.'
        return void outbox.push('status', () => ({ case: 'connectionSettingsStatus', value: { settingsHash, applied: false, message } }))
      }
      default:
        // What nobody takes is of a newer control plane; no capability was offered that would need it.
        for (const talk of talking) talk.receive?.(frame)
    }
  }

  function heartbeat(): Frame {
    const all = [...servers.report(), ...config.leftOut()]
    const cpu = process.cpuUsage(cpuBefore)
    cpuBefore = process.cpuUsage()
    return {
      case: 'heartbeat',
      value: create(HeartbeatSchema, {
        configHashes: hashesOnWire(config.hashes()),
        gatewayTime: timestampFromMs(clock.now()),
        activeSessions: activeSessions(),
        readyServers: all.filter((report) => report.state === 'ready').length,
        totalServers: all.length,
        memoryRssBytes: BigInt(process.memoryUsage.rss()),
        accessVersion: BigInt(accessVersion()),
        cpuTime: durationFromMs(Math.round((cpu.user + cpu.system) / 1000)),
      }),
    }
  }

  /** By the time of the control plane. */
  function compareClocks(seconds: bigint): void {
    const skewSeconds = seconds === 0n ? 0 : Math.round(clock.now() / 1000) - Number(seconds)
    const isSkewed = Math.abs(skewSeconds) > 30
    if (isSkewed && !warnedOfSkew) {
      const [here, there] = [clock.now(), Number(seconds) * 1000].map((ms) => new Date(ms).toISOString())
      log[Math.abs(skewSeconds) > 300 ? 'error' : 'warn'](
        { reason: 'clock_skew', skewSeconds },
        `the clocks differ: it is ${here} on this machine and ${there} at the control plane`,
      )
    }
    warnedOfSkew = isSkewed
  }
}
