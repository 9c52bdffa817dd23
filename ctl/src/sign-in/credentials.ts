import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { prepareStateDir } from '@mcpg/core/state-dir'
import { McpgError } from '@mcpg/proto/errors'
import { z } from 'zod'
import { lockCredentials } from './credentials-lock.ts'

const Session = z.object({ kind: z.literal('session'), cookie: z.string(), email: z.string(), expiresAt: z.string() })
/** What an issuer gave; `expiresAt` is the end of the id_token. Without a refresh token, or once it was refused (null), the sign-in ends there. */
const Tokens = z.object({
  kind: z.literal('tokens'),
  issuer: z.string(),
  clientId: z.string(),
  subject: z.string(),
  email: z.string().nullable(),
  idToken: z.string(),
  refreshToken: z.string().nullable(),
  license: z.string().nullable(),
  expiresAt: z.string(),
})
const Credential = z.discriminatedUnion('kind', [Session, Tokens])
const File = z.object({ version: z.literal(1), controlPlanes: z.record(z.string(), Credential) })

export type SessionCredential = z.infer<typeof Session>
export type TokenCredential = z.infer<typeof Tokens>
export type Credential = z.infer<typeof Credential>

export const credentialsFile = 'credentials.json'

/** The person that a sign-in is of. */
export const personOf = (credential: Credential): string =>
  credential.kind === 'session' ? credential.email : (credential.email ?? credential.subject)

export const isPast = ({ expiresAt }: Credential): boolean => Date.parse(expiresAt) <= Date.now()

/** The sign-in at the control plane of this URL; one control plane is never shown what was given for another. */
export async function readCredential(stateDir: string, url: string): Promise<Credential | null> {
  return (await read(stateDir))[new URL(url).origin] ?? null
}

export async function listCredentials(stateDir: string): Promise<(Credential & { origin: string })[]> {
  return Object.entries(await read(stateDir)).map(([origin, credential]) => ({ ...credential, origin }))
}

/** Keeps a sign-in, or forgets it (null); the file is 0600 from its first byte. */
export async function keepCredential(stateDir: string, url: string, credential: Credential | null): Promise<void> {
  const problem = await prepareStateDir(stateDir)
  if (problem)
    throw new McpgError('failed_precondition', `state_dir_${problem.reason}`, `The state dir cannot be used: ${problem.message}.`, {
      hint: problem.fix,
    })
  const release = await lockCredentials(stateDir)
  try {
    await replaceCredential(stateDir, url, credential)
  } finally {
    release()
  }
}

/** The same for whoever holds the lock of the sign-ins. */
export async function replaceCredential(stateDir: string, url: string, credential: Credential | null): Promise<void> {
  const { [new URL(url).origin]: _old, ...others } = await read(stateDir)
  const controlPlanes = credential ? { ...others, [new URL(url).origin]: credential } : others
  await writeFileAtomic(join(stateDir, credentialsFile), `${JSON.stringify({ version: 1, controlPlanes }, null, 2)}\n`)
}

async function read(stateDir: string): Promise<Record<string, Credential>> {
  const path = join(stateDir, credentialsFile)
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null
    throw new McpgError('failed_precondition', 'credentials_unreadable', `${path} cannot be read (${error.code ?? error.message}).`, {
      hint: `look at its owner and mode: ls -l ${path}`,
    })
  })
  if (text === null) return {}
  try {
    return File.parse(JSON.parse(text)).controlPlanes
  } catch {
    throw new McpgError('failed_precondition', 'credentials_damaged', `${path} is not what mcpg-ctl wrote.`, {
      hint: `remove it and sign in again: rm ${path}; mcpg-ctl login`,
    })
  }
}
