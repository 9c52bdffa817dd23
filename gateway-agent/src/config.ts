import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { readPair, type CertificateFiles } from '@mcpg/core/certificate-files'
import { isLoopbackHost } from '@mcpg/core/http-guard'
import type { LogSettings } from '@mcpg/core/log'
import { certificateNames } from '@mcpg/core/machine-names'
import type { Pair } from '@mcpg/core/server-certificate'
import { defaultStateDir } from '@mcpg/core/state-dir'
import { readTimers, type Timers } from '@mcpg/core/timers'
import { McpgError } from '@mcpg/proto/errors'
import { InstanceUid, Name } from '@mcpg/proto/names'
import { parseEnrollmentUrl, type EnrollmentUrl } from './identity/enrollment-url.ts'
import { parseControlPlane } from './link/endpoints.ts'

export type Flags = Record<string, string | boolean | string[] | undefined>
export type Env = Record<string, string | undefined>

export type Settings = {
  stateDir: string
  /** Name of the folder of this agent under `<state>/gateways/`. */
  name: string
  /** Host or name: the beginning of a generated instance uid. */
  uidStem: string
  enrollmentUrl: EnrollmentUrl | undefined
  /** Whether the URL is there for whoever has no identity yet, and nothing to others: it came from a file. */
  isUrlForNew: boolean
  /** Holds the token by which a cluster attests the pod that this is; read for each enrollment, as it is renewed. */
  attestationTokenFile: string | undefined
  /** Base URL of the gRPC listener, only when it was given explicitly. */
  controlPlane: string | undefined
  instanceUid: string | undefined
  /** Where the MCP endpoint listens; none given: 127.0.0.1:7845, and the next free port if it is taken. */
  bind: { host: string; port: number } | undefined
  /** How an endpoint that others reach speaks TLS: with these files, or with a certificate for these names; null: on loopback, plain. */
  endpointTls: { files: CertificateFiles; pair: Pair } | { names: () => string[] } | null
  allowedHosts: string[]
  allowedOrigins: string[]
  reEnroll: boolean
  fixPermissions: boolean
  insecurePlaintext: boolean
  /** Whether callers from other machines may come without a token. */
  mayBeOpen: boolean
  log: LogSettings
  timers: Timers
}

const levels = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const

/** Flag, else environment variable, else default. Throws McpgError `invalid` naming the flag. The only reader of the environment. */
export function readSettings(flags: Flags, env: Env): Settings {
  const { text, flag, list, fileText } = reader(flags, env)
  const insecurePlaintext = flag('insecure-plaintext')
  const name = text('name') ?? 'default'
  check(Name.safeParse(name).success, 'name', `--name ${JSON.stringify(name)} is not a name: 1-63 of a-z, 0-9 and -`)
  const instanceUid = text('instance-uid')
  if (instanceUid !== undefined)
    check(
      InstanceUid.safeParse(instanceUid).success,
      'instance_uid',
      `--instance-uid must be 1-63 of a-z, 0-9 and -, got ${JSON.stringify(instanceUid)}`,
    )
  const bind = readBind(text('bind'))
  const allowedHosts = list('allowed-host')
  const given = text('enrollment-url')
  const url = given ?? fileText('enrollment-url-file')
  const controlPlane = text('cp-grpc')
  const level = text('log-level') ?? 'info'
  check(isLevel(level), 'log_level', `--log-level must be one of ${levels.join(', ')}, got ${JSON.stringify(level)}`)
  return {
    stateDir: text('state-dir') ?? defaultStateDir(),
    name,
    uidStem: text('name') ?? hostname(),
    enrollmentUrl: url === undefined ? undefined : parseEnrollmentUrl(url, { insecurePlaintext }),
    isUrlForNew: given === undefined,
    attestationTokenFile: text('attestation-token-file'),
    controlPlane: controlPlane === undefined ? undefined : parseControlPlane(controlPlane, { insecurePlaintext }),
    instanceUid,
    bind,
    endpointTls: endpointTls(),
    allowedHosts,
    allowedOrigins: list('allowed-origin'),
    reEnroll: flag('re-enroll'),
    fixPermissions: flag('fix-permissions'),
    insecurePlaintext,
    mayBeOpen: flag('insecure-allow-unauthenticated'),
    log: { level, json: flag('json-logs'), file: text('log-file') },
    timers: timersOf(env['MCPG_TIMERS']),
  }

  function endpointTls(): Settings['endpointTls'] {
    const given = { cert: text('tls-cert-file'), key: text('tls-key-file') }
    const isGiven = given.cert !== undefined || given.key !== undefined
    if (!bind || isLoopbackHost(bind.host)) {
      check(
        !isGiven,
        'tls_cert_file',
        'A loopback endpoint speaks plain HTTP, so --tls-cert-file and --tls-key-file have no use: give a --bind that others reach',
      )
      return null
    }
    if (!isGiven) return { names: () => certificateNames({ hosts: [bind.host], named: allowedHosts }).sort() }
    check(given.cert !== undefined && given.key !== undefined, 'tls_key_file', '--tls-cert-file and --tls-key-file are given together')
    const files = { cert: resolve(given.cert), key: resolve(given.key) }
    const found = readPair(files, Date.now())
    if ('pair' in found) return { files, pair: found.pair }
    throw new McpgError('invalid', 'invalid_tls_files', found.problems.map(({ detail }) => detail).join('; '), {
      violations: found.problems.map(({ file, detail }) => ({ pointer: `--tls-${file}-file`, detail })),
      hint: 'mcpg-ctl gateway --help',
    })
  }
}

/** Flags may come as they are typed (`cp-grpc`) or as parsers spell them (`cpGrpc`). */
function reader(flags: Flags, env: Env) {
  const raw = (name: string) =>
    flags[name] ?? flags[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())] ?? env[variableOf(name)]
  return { text, flag, list, fileText }

  function text(name: string): string | undefined {
    const value = raw(name)
    if (value === undefined || value === '') return undefined
    check(typeof value === 'string', name.replaceAll('-', '_'), `--${name} needs one value`)
    return value
  }

  function flag(name: string): boolean {
    const value = raw(name)
    if (value === undefined || value === false || value === '' || value === 'false' || value === '0') return false
    check(value === true || value === 'true' || value === '1', name.replaceAll('-', '_'), `${variableOf(name)} must be true or false`)
    return true
  }

  /** A file that is not there says nothing: an enrollment is taken away once it was used. */
  function fileText(name: string): string | undefined {
    const path = text(name)
    if (path === undefined) return undefined
    try {
      return readFileSync(path, 'utf8').trim() || undefined
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return undefined
      throw invalid(name.replaceAll('-', '_'), `--${name} ${path} cannot be read (${code ?? 'unknown error'})`)
    }
  }

  function list(name: string): string[] {
    const value = raw(name)
    if (value === undefined || typeof value === 'boolean') return []
    return (Array.isArray(value) ? value : value.split(',')).map((one) => one.trim()).filter((one) => one !== '')
  }
}

const variableOf = (name: string) => `MCPG_${name.replaceAll('-', '_').toUpperCase()}`

function readBind(text: string | undefined): Settings['bind'] {
  if (text === undefined) return undefined
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^\s:/@]+)):(\d{1,5})$/.exec(text)
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  if (!host || port > 65_535) throw invalid('bind', `--bind must be <address>:<port>, e.g. 127.0.0.1:7845, got ${JSON.stringify(text)}`)
  return { host, port }
}

function timersOf(text: string | undefined): Timers {
  try {
    return readTimers(text)
  } catch (error) {
    throw invalid('timers', `MCPG_TIMERS: ${error instanceof Error ? error.message : String(error)}`)
  }
}

const isLevel = (text: string): text is (typeof levels)[number] => levels.some((level) => level === text)

function check(holds: boolean, reason: string, message: string): asserts holds {
  if (!holds) throw invalid(reason, message)
}

const invalid = (reason: string, message: string) =>
  new McpgError('invalid', `invalid_${reason}`, message, { hint: 'mcpg-ctl gateway --help' })

/** Folder of one agent. */
export const gatewayFolder = (stateDir: string, name: string): string => join(stateDir, 'gateways', name)
