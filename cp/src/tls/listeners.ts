import type { Clock } from '@mcpg/core/clock'
import type { Log } from '@mcpg/core/log'
import type { Timers } from '@mcpg/core/timers'
import type { Config } from '../config.ts'
import type { Authority } from '../keys/authority.ts'
import type { ServerCertificate } from '@mcpg/core/server-certificate'
import { givenCertificate } from '@mcpg/core/certificate-files'
import { certificateNames } from '@mcpg/core/machine-names'
import { ownCertificate } from './own-certificate.ts'

/** What the two listeners show: null where one speaks plaintext. */
export type ListenerCertificates = {
  http: ServerCertificate | null
  grpc: ServerCertificate | null
  /** The REST listener shows one of ours, so that an enrollment URL can pin its root. */
  isOurs: boolean
  /** All names under which others reach us; empty on loopback. */
  names: () => string[]
  stop: () => void
}

/** The certificates of a start: ours for the gateways, who must present ours too, and for REST ours or the given one. */
export async function listenerCertificates({
  config,
  authority,
  clock,
  timers,
  log,
}: {
  config: Pick<Config, 'http' | 'grpc' | 'external' | 'certificate'>
  authority: Authority
  clock: Clock
  timers: Timers
  log: Log
}): Promise<ListenerCertificates> {
  const { http, grpc, external, certificate } = config
  const secure = [http, grpc].filter(({ tls }) => tls)
  const names = () =>
    certificateNames({
      hosts: secure.map(({ host }) => host),
      named: [...[external.url, external.grpc].flatMap((url) => (url === null ? [] : [new URL(url).hostname])), ...http.allowedHosts],
    })
  const isOurs = http.tls && certificate === null
  const own = grpc.tls || isOurs ? await ownCertificate({ authority, names, clock, timers, log }) : null
  if (own)
    log.info({ names: own.names() }, 'the certificate has these names; add others with --external-url, --external-grpc, --allowed-host')
  const given = http.tls && certificate ? givenCertificate({ files: certificate.files, first: certificate.pair, clock, timers, log }) : null
  return {
    http: given ?? (http.tls ? own : null),
    grpc: grpc.tls ? own : null,
    isOurs,
    names: () => (secure.length > 0 ? names() : []),
    stop() {
      own?.stop()
      given?.stop()
    },
  }
}
