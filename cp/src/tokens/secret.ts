import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** `mcpg_pat_` + 32 random bytes + `_` + CRC32, both base64url: one shape for scanners and redaction. */
export function newToken(): string {
  const body = randomBytes(32).toString('base64url')
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return `mcpg_pat_${body}_${checksum.toString('base64url')}`
}

/** What is kept of a token. 256 random bits need neither salt nor a slow hash. */
export const sha256Of = (token: string): string => createHash('sha256').update(token).digest('hex')
