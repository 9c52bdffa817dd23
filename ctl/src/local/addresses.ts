import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { RunFile } from '@mcpg/proto/run-files'
import { z } from 'zod'

/** Where the control plane of quickstart ran last; what it was told to bind to is absent where it was the default. */
const Addresses = RunFile.pick({ endpoints: true, pins: true }).extend({ bindHttp: z.string().optional(), bindGrpc: z.string().optional() })
export type Addresses = z.infer<typeof Addresses>

const fileOf = (stateDir: string) => join(stateDir, 'addresses.json')

export async function readAddresses(stateDir: string): Promise<Addresses | null> {
  try {
    return Addresses.parse(JSON.parse(await readFile(fileOf(stateDir), 'utf8')))
  } catch {
    return null
  }
}

/** A port that was left to the machine is remembered as the one that it became. */
export async function keepAddresses(stateDir: string, { bindHttp, bindGrpc, ...where }: Addresses): Promise<void> {
  const kept = {
    ...where,
    bindHttp: withPort(bindHttp, where.endpoints['http']),
    bindGrpc: withPort(bindGrpc, where.endpoints['grpc']),
  }
  await mkdir(stateDir, { recursive: true, mode: 0o700 })
  await writeFileAtomic(fileOf(stateDir), `${JSON.stringify(kept, null, 2)}\n`)
}

function withPort(address: string | undefined, url = ''): string | undefined {
  if (!address?.endsWith(':0')) return address
  const { port } = URL.canParse(url) ? new URL(url) : { port: '' }
  return port === '' ? undefined : address.replace(/0$/, port)
}
