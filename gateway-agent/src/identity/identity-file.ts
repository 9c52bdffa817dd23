import { createHash, X509Certificate } from 'node:crypto'
import { chmod, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { McpgError } from '@mcpg/proto/errors'
import { checkCertificate, checkKeys } from './keys.ts'

const hex = z.string().regex(/^[0-9a-f]{64}$/)
const base64 = z.base64()

/** Bearers open a stream on loopback; certificates everywhere else. Times are those of the control plane. */
export const Credential = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bearer'), sequence: z.number().int().nonnegative(), bearerToken: z.string().min(1) }),
  z.strictObject({
    kind: z.literal('x509'),
    sequence: z.number().int().nonnegative(),
    /** DER, leaf first. */
    certificates: z.array(base64).min(1),
    notBefore: z.iso.datetime(),
    notAfter: z.iso.datetime(),
    renewAfter: z.iso.datetime(),
  }),
])
export type Credential = z.infer<typeof Credential>

/** Certificate of the MCP endpoint by the authority of the control plane, for an endpoint that others than this machine reach. */
export const EndpointCertificate = z.strictObject({
  key: z.string(),
  /** DER, leaf first. */
  certificates: z.array(base64).min(1),
  /** What was asked for; another bind asks again. */
  names: z.array(z.string()),
})
export type EndpointCertificate = z.infer<typeof EndpointCertificate>

/**
 * Everything an enrollment made of this installation, in one file so that it is there as a whole or not at all: `identity.json`
 * (0600, with a SHA-256 over itself). Binary values are base64.
 */
export const Identity = z.strictObject({
  gatewayId: z.string().min(1),
  name: z.string(),
  org: z.string(),
  workspace: z.string(),
  environment: z.string(),
  instanceUid: z.string(),
  enrolledAt: z.iso.datetime(),
  /** Of the token it was enrolled with: the same URL again is a restart, another one is a mistake. */
  enrolledTokenSha256: hex,
  /** Where it was enrolled: origin of the REST listener. */
  enrolledAtOrigin: z.string(),
  controlPlaneEndpoints: z.array(z.string()),
  configSigningKeys: z.array(base64),
  trustBundle: z.array(base64),
  credential: Credential,
  endpoint: EndpointCertificate.optional(),
  identityKey: z.string(),
  sealingKey: z.string(),
})
export type Identity = z.infer<typeof Identity>

/** An enrollment that has not been answered yet: what must be the same when it is repeated. */
export const Attempt = z.strictObject({
  tokenSha256: hex,
  /** 16 bytes, base64. */
  idempotencyKey: base64,
  instanceUid: z.string(),
  isUidGenerated: z.boolean(),
  identityKey: z.string(),
  sealingKey: z.string(),
  endpointKey: z.string().optional(),
})
export type Attempt = z.infer<typeof Attempt>

export const identityFile = (folder: string): string => join(folder, 'identity.json')
/** Root certificates in PEM, for AI clients and the CLI: a copy out of `identity.json`, which alone counts. */
export const caFile = (folder: string): string => join(folder, 'ca.pem')
/** The certificate of this gateway in PEM, to be looked at: a copy as well. */
const certificateFile = (folder: string) => join(folder, 'cert.pem')
const attemptFile = (folder: string) => join(folder, 'attempt.json')

/** Null when there is none. Throws McpgError `unauthenticated`/`credentials_damaged` or `credentials_readable_by_others`. */
export async function loadIdentity(folder: string, { fixPermissions = false } = {}): Promise<Identity | null> {
  const identity = await loadRecord(identityFile(folder), Identity, fixPermissions)
  if (identity) checkParts(identityFile(folder), identity)
  return identity
}

export async function saveIdentity(folder: string, identity: Identity): Promise<void> {
  await saveRecord(identityFile(folder), identity)
  await rm(attemptFile(folder), { force: true })
  await writeCopies(folder, identity)
}

/** The PEM files of an identity, made right where a crash left them behind it. Nothing depends on them, so a full disk is no error here. */
export async function writeCopies(folder: string, { trustBundle, credential }: Identity): Promise<void> {
  await writeCopy(caFile(folder), trustBundle)
  await writeCopy(certificateFile(folder), credential.kind === 'x509' ? credential.certificates : [])
}

async function writeCopy(path: string, certificates: string[]): Promise<void> {
  if (certificates.length === 0) return rm(path, { force: true })
  const text = pemOf(certificates)
  if ((await readFile(path, 'utf8').catch(() => '')) !== text) await writeFileAtomic(path, text).catch(() => {})
}

/** Certificates in DER and base64 as one PEM text. */
export const pemOf = (certificates: readonly string[]): string =>
  certificates.map((one) => new X509Certificate(Buffer.from(one, 'base64')).toString()).join('')

/** A damaged attempt is no loss that could be healed: nothing was promised to anybody yet, so it is made anew. `mend`: takes a wide mode away. */
export async function loadAttempt(folder: string, { mend = true } = {}): Promise<Attempt | null> {
  return loadRecord(attemptFile(folder), Attempt, mend).catch(() => null)
}

export async function saveAttempt(folder: string, attempt: Attempt): Promise<void> {
  await saveRecord(attemptFile(folder), attempt)
}

/** After a decommission: nothing is left that could open a stream. */
export async function eraseIdentity(folder: string): Promise<void> {
  for (const file of ['identity.json', 'attempt.json', 'next.json', 'ca.pem', 'cert.pem', 'access.json'])
    await rm(join(folder, file), { force: true })
}

/** A file of ours: the content with a SHA-256 over it, written as a whole or not at all. */
export async function saveRecord(path: string, content: object): Promise<void> {
  await writeFileAtomic(path, `${JSON.stringify({ v: 1, sha256: sha256(JSON.stringify(content)), content }, null, 2)}\n`)
}

/** Null when there is none; throws McpgError `unauthenticated` when it is damaged or readable by others. */
export async function loadRecord<Content>(path: string, schema: z.ZodType<Content>, fixPermissions: boolean): Promise<Content | null> {
  let text: string
  try {
    await checkMode(path, fixPermissions)
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof McpgError) throw error
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw damaged(path, 'cannot be read', error)
  }
  const envelope = parse(text)
  const content = schema.safeParse(envelope?.content)
  if (!envelope || !content.success) throw damaged(path, text.trim() === '' ? 'is empty' : 'is truncated or not what it should be')
  if (envelope.sha256 !== sha256(JSON.stringify(envelope.content))) throw damaged(path, 'does not match its own checksum')
  return content.data
}

function parse(text: string): { sha256: unknown; content: unknown } | null {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null && 'sha256' in value && 'content' in value ? value : null
  } catch {
    return null
  }
}

function checkParts(path: string, identity: Identity): void {
  try {
    checkKeys(identity)
    if (identity.credential.kind === 'x509') checkCertificate(identity.identityKey, identity.credential.certificates)
    if (identity.endpoint) checkCertificate(identity.endpoint.key, identity.endpoint.certificates)
    pemOf(identity.trustBundle)
  } catch (error) {
    throw damaged(path, 'holds a damaged key', error)
  }
}

async function checkMode(path: string, fixPermissions: boolean): Promise<void> {
  const { mode } = await stat(path)
  if (process.platform === 'win32' || (mode & 0o077) === 0) return
  if (fixPermissions) return chmod(path, 0o600)
  throw new McpgError(
    'unauthenticated',
    'credentials_readable_by_others',
    `${path} holds credentials and can be read by others (mode ${(mode & 0o777).toString(8)})`,
    { hint: `restart with --fix-permissions, or chmod 600 ${path}; if somebody may have read it, delete the gateway and enroll again` },
  )
}

function damaged(path: string, what: string, cause?: unknown): McpgError {
  return new McpgError('unauthenticated', 'credentials_damaged', `The credentials of this gateway are damaged: ${path} ${what}`, {
    hint: 'restore the file from a backup, or enroll again: mcpg-ctl gateway --re-enroll --enrollment-url <new URL>',
    cause,
  })
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
