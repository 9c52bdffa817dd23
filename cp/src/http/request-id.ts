import { randomBytes } from 'node:crypto'

/** Names one request in answers, logs and the audit trail. */
export const newRequestId = (): string => `req_${randomBytes(9).toString('base64url')}`
