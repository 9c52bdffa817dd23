import { createHash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** Longest text that is looked up; whatever is longer is not a token of anybody. */
export const maxTokenLength = 512

/** `mcpg_enr_` + 32 random bytes + `_` + CRC32, both base64url: one shape for scanners and redaction. */
export function newEnrollmentToken(): string {
  const body = randomBytes(32).toString('base64url')
  const checksum = Buffer.alloc(4)
  checksum.writeUInt32BE(crc32(body))
  return `mcpg_enr_${body}_${checksum.toString('base64url')}`
}

/** What is kept of a token. 256 random bits need neither salt nor a slow hash. */
export const tokenSha256 = (token: string): string => createHash('sha256').update(token).digest('hex')

/** 256-bit secret that a gateway on loopback shows for each stream. */
export const newBearer = (): string => randomBytes(32).toString('base64url')
