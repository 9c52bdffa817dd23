import { X509Certificate } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pinOf } from '@mcpg/core/pins'
import { isSameProcess } from '@mcpg/core/process-identity'
import { McpgError } from '@mcpg/proto/errors'
import { gatewayRunFile, RunFile } from '@mcpg/proto/run-files'
import { configFolder, readPointer, readRecord, type Pointer } from './config/slots.ts'
import { gatewayFolder } from './config.ts'
import { caFile, loadAttempt, loadIdentity, type Identity } from './identity/identity-file.ts'
import { readContact, type Contact } from './link/contact.ts'
import { loadPolicy, policyFile, type PolicyFile } from './policy/policy.ts'

type ConfigPoint = { generation: number; hash: string }
type Problem = { code: string; reason: string; message: string; hint: string | undefined }

/** What the files of one agent say; nothing secret is in it, and the agent need not run. */
export type GatewayFacts = {
  /** Name of the agent on this machine, and its folder. */
  name: string
  folder: string
  /** `enrolling`: a URL was tried and never answered. */
  state: 'enrolled' | 'enrolling' | 'not_enrolled' | 'damaged'
  /** Set when `state` is damaged. */
  problem: Problem | null
  running: { pid: number; since: string; version: string; endpoint: string | undefined } | null
  gateway:
    | (Pick<Identity, 'gatewayId' | 'name' | 'org' | 'workspace' | 'environment' | 'instanceUid' | 'enrolledAt' | 'enrolledAtOrigin'> & {
        /** `expires` and `renews` of a certificate; a bearer is revoked instead. */
        credential: { kind: 'bearer' | 'certificate'; sequence: number; expires?: string; renews?: string }
        /** Certificate of the endpoint by the control plane; null where it has none. */
        endpointCertificate: { names: string[]; expires: string } | null
        /** Roots that the control plane is held against, as in the fragment of an enrollment URL; none on loopback. */
        pins: string[]
        /** PEM file of those roots, for clients of the endpoint. */
        caFile: string | null
        controlPlaneEndpoints: string[]
      })
    | null
  /** The last control plane that was heard, and since when there is no stream to it. */
  controlPlane: Contact | null
  config: {
    lkg: ConfigPoint | null
    applied: ConfigPoint | null
    candidate: (ConfigPoint & { attempts: number }) | null
    highestGeneration: number
    quarantined: number
    verdict: { generation: number; hash: string; state: string; reason: string | undefined; message: string } | null
    /** Files that are there and cannot be read. */
    damaged: string[]
  }
  policy: { path: string; rules: PolicyFile | null; problem: Problem | null }
}

/** Facts of one agent of this machine, or of all, by name. Throws McpgError `not_found` when the named one does not exist. */
export async function gatewayFacts(stateDir: string, name?: string): Promise<GatewayFacts[]> {
  const names: string[] = await readdir(join(stateDir, 'gateways')).catch(() => [])
  if (name !== undefined && !names.includes(name))
    throw new McpgError('not_found', 'gateway_unknown', `There is no gateway agent ${name} under ${stateDir}`, {
      hint: names.length > 0 ? `there are: ${names.join(', ')}` : 'start one: mcpg-ctl gateway --enrollment-url <URL>',
    })
  return Promise.all((name === undefined ? names.sort() : [name]).map((one) => factsOf(stateDir, one)))
}

async function factsOf(stateDir: string, name: string): Promise<GatewayFacts> {
  const folder = gatewayFolder(stateDir, name)
  const path = policyFile(folder)
  const [identity, attempt, running, { contact }, config, policy] = await Promise.all([
    orProblem(loadIdentity(folder)),
    loadAttempt(folder, { mend: false }),
    runningAgent(stateDir, name),
    readContact(folder),
    configFacts(folder),
    orProblem(loadPolicy(path)),
  ])
  const known = identity && 'gatewayId' in identity ? identity : null
  const problem = identity && 'reason' in identity ? identity : null
  return {
    name,
    folder,
    state: problem ? 'damaged' : known ? 'enrolled' : attempt ? 'enrolling' : 'not_enrolled',
    problem,
    running,
    gateway: known && shown(known, folder),
    controlPlane: contact && (running ? contact : ended(contact)),
    config,
    policy: { path, rules: 'rules' in policy ? policy.rules : null, problem: 'rules' in policy ? null : policy },
  }
}

/** An agent that was killed left behind that it is connected. */
function ended(contact: Contact): Contact {
  return { ...contact, disconnected: contact.disconnected ?? { since: contact.lastHeardAt, reason: 'the agent does not run' } }
}

/** Named one by one, so that a secret that is added to the identity is not shown by accident. */
function shown(identity: Identity, folder: string): NonNullable<GatewayFacts['gateway']> {
  const { gatewayId, name, org, workspace, environment, instanceUid, enrolledAt, enrolledAtOrigin, controlPlaneEndpoints } = identity
  const { credential, endpoint, trustBundle } = identity
  return {
    gatewayId,
    name,
    org,
    workspace,
    environment,
    instanceUid,
    enrolledAt,
    enrolledAtOrigin,
    controlPlaneEndpoints,
    credential:
      credential.kind === 'x509'
        ? { kind: 'certificate', sequence: credential.sequence, expires: credential.notAfter, renews: credential.renewAfter }
        : { kind: 'bearer', sequence: credential.sequence },
    endpointCertificate: endpoint ? shownCertificate(endpoint.certificates) : null,
    pins: trustBundle.map((root) => pinOf(certificateIn(root))),
    caFile: trustBundle.length > 0 ? caFile(folder) : null,
  }
}

function shownCertificate([leaf = '']: string[]) {
  const { subjectAltName, validToDate } = certificateIn(leaf)
  const names = (subjectAltName ?? '').split(', ').map((name) => name.replace(/^(DNS|IP Address):/, ''))
  return { names, expires: validToDate.toISOString() }
}

const certificateIn = (base64: string) => new X509Certificate(Buffer.from(base64, 'base64'))

async function configFacts(gatewayFolder: string): Promise<GatewayFacts['config']> {
  const folder = configFolder(gatewayFolder)
  const damaged: string[] = []
  const point = async (pointer: Pointer): Promise<ConfigPoint | null> => {
    const found = await readPointer(folder, pointer)
    damaged.push(...found.damaged)
    const newest = found.stored[0]
    return newest ? { generation: newest.generation, hash: newest.hash } : null
  }
  const [lkg, applied, record] = [await point('lkg'), await point('current'), await readRecord(folder)]
  if (record === 'damaged') damaged.push('state.json')
  const state = record === 'damaged' ? null : record
  const verdict = state?.verdict ?? null
  return {
    lkg,
    applied,
    candidate: state?.candidate ?? null,
    highestGeneration: state?.highest?.generation ?? 0,
    quarantined: state?.quarantine.length ?? 0,
    verdict: verdict && {
      generation: verdict.generation,
      hash: verdict.hash,
      state: verdict.state,
      reason: verdict.reason,
      message: verdict.message,
    },
    damaged,
  }
}

async function runningAgent(stateDir: string, name: string): Promise<GatewayFacts['running']> {
  try {
    const file = RunFile.parse(JSON.parse(await readFile(join(stateDir, gatewayRunFile(name)), 'utf8')))
    if (!isSameProcess(file.pid, file.startTime)) return null
    return { pid: file.pid, since: file.startedAt, version: file.version, endpoint: file.endpoints['mcp'] }
  } catch {
    return null
  }
}

async function orProblem<Value>(value: Promise<Value>): Promise<Value | Problem> {
  return value.catch((error: unknown) => {
    if (!(error instanceof McpgError)) throw error
    const { code, reason, message, hint } = error
    return { code, reason, message, hint }
  })
}
