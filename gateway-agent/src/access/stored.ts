import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { writeFileAtomic } from '@mcpg/core/atomic-file'
import { AccessDocument } from '@mcpg/proto/access-document'

/** The document in force, whole. */
export type InForce = { version: number; document: AccessDocument }

const Stored = z.object({ v: z.literal(1), gatewayId: z.string(), version: z.number().int(), document: AccessDocument })

export const accessFile = 'access.json'

/**
 * `access.json` beside the slots of the configs: a SHA-256 in hex, a blank, JSON. What was verified is stored whole and not again with its
 * signature, which is over a delta mostly: whoever can write this folder can write the keys too.
 */
export function storedAccess(folder: string, gatewayId: string, onSync: () => void = () => {}) {
  const path = join(folder, accessFile)
  let next: InForce | null = null
  let writing: Promise<void> | null = null
  return { read, write, idle }

  /** Resolves when nothing is being written. */
  async function idle(): Promise<void> {
    await writing?.catch(() => {})
  }

  /** Null where there is none, or none that can be read: then no token holds until the control plane was reached. */
  async function read(): Promise<InForce | null> {
    try {
      const text = await readFile(path, 'utf8')
      const json = text.slice(65).trimEnd()
      if (text.slice(0, 64) !== sha256(json)) return null
      const { version, document, gatewayId: of } = Stored.parse(JSON.parse(json))
      return of === gatewayId ? { version, document } : null
    } catch {
      return null
    }
  }

  /** Resolves when this, or a newer one, is on disk: those that come while one is being written are one write. */
  async function write(inForce: InForce): Promise<void> {
    next = inForce
    writing ??= writeAll().finally(() => (writing = null))
    await writing
  }

  async function writeAll(): Promise<void> {
    while (next) {
      const { version, document } = next
      next = null
      const json = JSON.stringify({ v: 1, gatewayId, version, document })
      await writeFileAtomic(path, `${sha256(json)} ${json}\n`, 0o600, onSync)
    }
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
