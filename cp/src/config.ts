import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import type { LogSettings } from '@mcpg/core/log'
import { authModes, type AuthMode } from '@mcpg/proto/rest/auth'
import { defaultStateDir } from '@mcpg/core/state-dir'
import { readTimers, type Timers } from '@mcpg/core/timers'
import { McpgError, type Violation } from '@mcpg/proto/errors'
import { readDatabaseUrl, type DatabaseSettings } from './db/settings.ts'
import { readEnrollmentLimits, type EnrollmentLimits } from './enrollments/rate-limits.ts'
import type { OidcSettings } from './accounts/issuer.ts'
import type { GrpcSettings } from './grpc/server.ts'
import type { HttpSettings } from './http/server.ts'
import type { Pair } from '@mcpg/core/server-certificate'
import { readPair, type CertificateFiles } from '@mcpg/core/certificate-files'

export type Flags = Record<string, string | boolean | string[] | undefined>
export type Environment = Record<string, string | undefined>

export type Config = {
  stateDir: string
  authMode: AuthMode
  /** The issuer of mode `oidc`, else null. */
  oidc: OidcSettings | null
  /** Judges the licenses that people show; null: nobody judges them. */
  licensePublicKey: KeyObject | null
  http: HttpSettings
  grpc: GrpcSettings
  /** Certificate of the REST listener that somebody else issued; null: ours. That of the gateways' listener is always ours. */
  certificate: { files: CertificateFiles; pair: Pair } | null
  /** Public names that endpoints of gateways may have at or below one of these (`--endpoint-domain`). */
  endpointDomains: string[]
  /** Others can reach the REST listener and nobody has to sign in: said at every start. */
  openToOthers: boolean
  /** How others reach us; null: the listeners' own addresses. */
  external: { url: string | null; grpc: string | null }
  database: DatabaseSettings
  masterKeyPath: string
  /** YAML files of what a workspace has from the first start. */
  seedsFolder: string
  log: LogSettings
  timers: Timers
  /** How this program is started, for managed gateways on this machine; null: none run here. */
  local: { program: readonly string[]; env: Environment } | null
  /** Image of managed gateways on Kubernetes, without its tag. */
  gatewayImage: string
  /** `address[:port]` of the servers that are asked for the records of domains; empty: those of this machine. */
  dnsServers: string[]
  /** How fast enrollment tokens may be redeemed; `MCPG_ENROLLMENT_LIMITS`. */
  enrollmentLimits: EnrollmentLimits
}

/** Every flag of `serve` with its environment variable `MCPG_<FLAG>`; lists are separated by commas in the environment. */
const known = {
  'state-dir': 'text',
  'bind-http': 'text',
  'bind-grpc': 'text',
  'database-url': 'text',
  'database-url-file': 'text',
  'auth-mode': 'text',
  'oidc-issuer': 'text',
  'oidc-client-id': 'text',
  'oidc-client-secret-file': 'text',
  'oidc-audience': 'list',
  'admin-subject': 'list',
  'admin-group': 'list',
  'license-public-key-file': 'text',
  'external-url': 'text',
  'external-grpc': 'text',
  'gateway-image': 'text',
  'dns-server': 'list',
  'master-key-file': 'text',
  'tls-cert-file': 'text',
  'tls-key-file': 'text',
  'endpoint-domain': 'list',
  'insecure-allow-unauthenticated': 'switch',
  'allowed-host': 'list',
  'allowed-origin': 'list',
  'trusted-proxy': 'list',
  'json-logs': 'switch',
  'log-level': 'text',
  'log-file': 'text',
} as const
type Flag = keyof typeof known

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** Flag over environment variable over default. Throws one `invalid` error (exit 2) with everything that is wrong. */
export function readConfig(flags: Flags, env: Environment): Config {
  const violations: Violation[] = []
  const stateDir = resolve(expandHome(text('state-dir') ?? defaultStateDir()))
  const http = listener('bind-http', '127.0.0.1:7843')
  const grpc = listener('bind-grpc', '127.0.0.1:7844')
  if (http && grpc && http.port !== 0 && http.port === grpc.port && http.host === grpc.host)
    wrong('bind-grpc', 'is the same address as --bind-http')
  const authMode = readAuthMode()
  const openToOthers = authMode === 'none' && http !== null && http.tls
  if (openToOthers && !isOn('insecure-allow-unauthenticated'))
    wrong(
      'bind-http',
      `${text('bind-http')} can be reached from other machines, and without sign-in whoever reaches it may do everything. Use --auth-mode local or oidc, or 127.0.0.1:${http.port}, or add --insecure-allow-unauthenticated if everybody who can reach it may`,
    )
  const external = { url: url('external-url'), grpc: url('external-grpc') }
  const level = text('log-level') ?? 'info'
  if (!isLogLevel(level)) wrong('log-level', `must be one of ${logLevels.join(', ')}`)
  const config = {
    stateDir,
    authMode,
    oidc: oidc(),
    licensePublicKey: licensePublicKey(),
    http: {
      ...(http ?? nowhere),
      allowedHosts: [
        ...list('allowed-host').filter((host) => /^[\w.:[\]-]+$/.test(host) || wrong('allowed-host', `"${host}" is not a host name`)),
        ...(external.url === null ? [] : [new URL(external.url).hostname]),
      ],
      allowedOrigins: [
        ...list('allowed-origin').filter(
          (origin) => isOrigin(origin) || wrong('allowed-origin', `"${origin}" is not an origin: <scheme>://<host>[:<port>]`),
        ),
        ...(external.url === null ? [] : [new URL(external.url).origin]),
      ],
      trustedProxies: list('trusted-proxy').filter(
        (proxy) => /^[0-9a-f.:/]+$/i.test(proxy) || wrong('trusted-proxy', `"${proxy}" is not an address or network`),
      ),
      // Two levels below the repository root lie both this file and the bundle.
      consoleFolder: fileURLToPath(new URL('../../ui/dist', import.meta.url)),
    },
    grpc: grpc ?? nowhere,
    certificate: certificate(),
    endpointDomains: list('endpoint-domain').filter(
      (domain) =>
        /^[a-z0-9-]+(\.[a-z0-9-]+)+$/i.test(domain) || wrong('endpoint-domain', `"${domain}" is not a domain such as example.com`),
    ),
    openToOthers,
    external,
    database: database(),
    masterKeyPath: resolve(expandHome(text('master-key-file') ?? join(stateDir, 'master.key'))),
    seedsFolder: fileURLToPath(new URL('../../cp/seeds', import.meta.url)),
    log: { level: isLogLevel(level) ? level : ('info' as const), json: isOn('json-logs'), file: text('log-file') },
    timers: timers(),
    local: null,
    gatewayImage: text('gateway-image') ?? 'mcpg/gateway',
    dnsServers: list('dns-server').filter(
      (server) => isDnsServer(server) || wrong('dns-server', `"${server}" is not an address with or without a port, such as 10.0.0.53:53`),
    ),
    enrollmentLimits: enrollmentLimits(),
  }
  if (violations.length > 0) throw refusal(violations)
  return config

  function text(flag: Flag): string | undefined {
    const given = flags[flag] ?? flags[camelCase(flag)]
    const value = typeof given === 'string' ? given : env[variableOf(flag)]
    return value === '' ? undefined : value
  }

  function list(flag: Flag): string[] {
    const given = flags[flag] ?? flags[camelCase(flag)]
    const values = Array.isArray(given) ? given : (text(flag)?.split(',') ?? [])
    return values.map((value) => value.trim()).filter((value) => value !== '')
  }

  function isOn(flag: Flag): boolean {
    const given = flags[flag] ?? flags[camelCase(flag)]
    if (typeof given === 'boolean') return given
    const value = text(flag)?.toLowerCase()
    if (value === undefined || ['0', 'false', 'no', 'off'].includes(value)) return false
    return ['1', 'true', 'yes', 'on'].includes(value) || wrong(flag, 'must be true or false')
  }

  function wrong(flag: Flag | 'MCPG_TIMERS' | 'MCPG_ENROLLMENT_LIMITS', detail: string): false {
    violations.push({ pointer: flag.startsWith('MCPG_') ? flag : `--${flag}`, detail })
    return false
  }

  function listener(flag: Flag, fallback: string): { host: string; port: number; tls: boolean } | null {
    const value = text(flag) ?? fallback
    const match = /^(\[[0-9a-f:]+\]|[\w.-]+):(\d{1,5})$/i.exec(value)
    const port = Number(match?.[2])
    if (!match || port > 65_535) {
      wrong(flag, `"${value}" is not an address: write <host>:<port>`)
      return null
    }
    const host = match[1]!.replace(/^\[(.*)\]$/, '$1')
    return { host, port, tls: !isLoopbackHost(host) }
  }

  /** Both files or none; everything that is wrong with them at once. */
  function certificate(): Config['certificate'] {
    const files = { cert: text('tls-cert-file'), key: text('tls-key-file') }
    if (files.cert === undefined && files.key === undefined) return null
    if (files.cert === undefined || files.key === undefined) {
      const missing = files.cert === undefined ? 'tls-cert-file' : 'tls-key-file'
      wrong(missing, 'is missing: a certificate and its key are given together')
      return null
    }
    if (http && !http.tls) wrong('tls-cert-file', 'has no use: --bind-http is a loopback address, and that speaks plain HTTP')
    const paths = { cert: resolve(expandHome(files.cert)), key: resolve(expandHome(files.key)) }
    const found = readPair(paths, Date.now())
    if ('pair' in found) return { files: paths, pair: found.pair }
    for (const { file, detail } of found.problems) wrong(file === 'cert' ? 'tls-cert-file' : 'tls-key-file', detail)
    return null
  }

  /** Where others reach a listener they sign in, unless it was said that nobody has to. */
  function readAuthMode(): AuthMode {
    const isReachable = (http?.tls ?? false) || (grpc?.tls ?? false)
    const mode = text('auth-mode') ?? (isReachable && !isOn('insecure-allow-unauthenticated') ? 'local' : 'none')
    if (isAuthMode(mode)) return mode
    wrong('auth-mode', `"${mode}" is not one of ${authModes.join(', ')}`)
    return 'local'
  }

  /** Flags of the issuer without the mode are a mistake that would leave the door as it is. */
  function oidc(): OidcSettings | null {
    const flagsOfIt = ['oidc-issuer', 'oidc-client-id', 'oidc-client-secret-file', 'oidc-audience', 'admin-subject', 'admin-group'] as const
    if (authMode !== 'oidc') {
      for (const flag of flagsOfIt) if (list(flag).length > 0) wrong(flag, `has no use without --auth-mode oidc; the mode is ${authMode}`)
      return null
    }
    // As it is written: an issuer with a slash at its end is another one.
    const issuer = url('oidc-issuer') === null ? null : text('oidc-issuer')!
    if (issuer === null && text('oidc-issuer') === undefined)
      wrong('oidc-issuer', 'is missing: --auth-mode oidc needs the URL of the issuer')
    if (issuer?.startsWith('http:') && !isLoopbackHost(new URL(issuer).hostname)) wrong('oidc-issuer', 'must be https, beyond loopback')
    const clientId = text('oidc-client-id')
    if (clientId === undefined) wrong('oidc-client-id', 'is missing: the id under which the issuer knows this control plane')
    if (list('admin-subject').length + list('admin-group').length === 0)
      wrong('admin-subject', 'is missing: nobody becomes admin by being first; name a subject, or a group with --admin-group')
    const audiences = list('oidc-audience')
    return {
      issuer: issuer ?? '',
      clientId: clientId ?? '',
      clientSecret: clientSecret(),
      audiences: audiences.length > 0 ? audiences : [clientId ?? '', 'mcpg-ctl'],
      adminSubjects: list('admin-subject'),
      adminGroups: list('admin-group'),
    }
  }

  function clientSecret(): string | null {
    const file = text('oidc-client-secret-file')
    if (file === undefined) return null
    try {
      return readFileSync(resolve(expandHome(file)), 'utf8').trim()
    } catch (error) {
      wrong('oidc-client-secret-file', `cannot be read: ${(error as Error).message}`)
      return null
    }
  }

  function licensePublicKey(): KeyObject | null {
    const file = text('license-public-key-file')
    if (file === undefined) return null
    try {
      const key = createPublicKey(readFileSync(resolve(expandHome(file)), 'utf8'))
      if (key.asymmetricKeyType === 'ed25519') return key
      wrong('license-public-key-file', `holds a key of type ${key.asymmetricKeyType}; licenses are signed with Ed25519`)
    } catch (error) {
      wrong('license-public-key-file', `holds no public key in PEM: ${(error as Error).message}`)
    }
    return null
  }

  function database(): DatabaseSettings {
    const read = readDatabaseUrl(databaseUrl())
    if ('problems' in read) for (const problem of read.problems) wrong('database-url', problem)
    const path = 'path' in read && read.path !== null ? resolve(expandHome(read.path)) : join(stateDir, 'mcpg.db')
    const settings = 'address' in read ? read : { engine: 'sqlite' as const, path }
    return { ...settings, migrationsFolder: fileURLToPath(new URL(`../../cp/prisma/${settings.engine}/migrations`, import.meta.url)) }
  }

  /** The file is for a URL with a password: neither argv nor the environment shows it. */
  function databaseUrl(): string | undefined {
    const file = text('database-url-file')
    if (file === undefined) return text('database-url')
    if (flags['database-url'] ?? flags['databaseUrl']) wrong('database-url-file', 'is given beside --database-url; leave one of them out')
    try {
      return readFileSync(resolve(expandHome(file)), 'utf8').trim()
    } catch (error) {
      wrong('database-url-file', `cannot be read: ${(error as Error).message}`)
      return undefined
    }
  }

  function url(flag: Flag): string | null {
    const value = text(flag)
    if (value === undefined) return null
    const parsed = URL.canParse(value) ? new URL(value) : null
    if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.search || parsed.hash || parsed.username)
      return wrong(flag, 'must be an http or https URL without credentials, query and fragment') || null
    return value.replace(/\/+$/, '')
  }

  function timers(): Timers {
    try {
      return readTimers(env.MCPG_TIMERS)
    } catch (error) {
      wrong('MCPG_TIMERS', (error as Error).message)
      return readTimers(undefined)
    }
  }

  function enrollmentLimits(): EnrollmentLimits {
    try {
      return readEnrollmentLimits(env.MCPG_ENROLLMENT_LIMITS)
    } catch (error) {
      wrong('MCPG_ENROLLMENT_LIMITS', (error as Error).message)
      return readEnrollmentLimits(undefined)
    }
  }
}

/** Stands for a listener whose address is wrong; the error is thrown before anybody listens there. */
const nowhere = { host: '', port: 0, tls: false }

export const variableOf = (flag: string): string => `MCPG_${flag.toUpperCase().replaceAll('-', '_')}`

function refusal(violations: Violation[]): McpgError {
  const said = violations.map(({ pointer, detail }) => `${pointer}: ${detail}`)
  return new McpgError('invalid', 'invalid_setting', said.join('\n'), { violations, hint: 'mcpg-ctl serve --help' })
}

const camelCase = (flag: string): string => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
const expandHome = (path: string): string => (path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path)
const isAuthMode = (mode: string): mode is AuthMode => (authModes as readonly string[]).includes(mode)
const isLogLevel = (level: string): level is LogSettings['level'] => (logLevels as readonly string[]).includes(level)
const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text.replace(/\/$/, '').toLowerCase()

function isDnsServer(text: string): boolean {
  const [, bracketed, port] = /^\[([^\]]+)\](?::(\d{1,5}))?$/.exec(text) ?? []
  if (bracketed !== undefined) return isIP(bracketed) === 6 && Number(port ?? 53) <= 65_535
  const [address = '', port4 = '53', ...more] = isIP(text) === 6 ? [text] : text.split(':')
  return isIP(address) !== 0 && more.length === 0 && /^\d{1,5}$/.test(port4) && Number(port4) <= 65_535
}
