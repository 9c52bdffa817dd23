/** Versions with the initialize handshake, oldest first. */
export const legacyVersions = ['2024-10-07', '2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'] as const
export const newestLegacy = '2025-11-25'
/** Versions without: every request carries what it needs. */
export const modernVersions = ['2026-07-28'] as const
export const modernVersion = '2026-07-28'

const prefix = 'io.modelcontextprotocol/'

/** Keys of `_meta` that the modern era reserves. */
export const metaKeys = {
  prefix,
  protocolVersion: `${prefix}protocolVersion`,
  clientCapabilities: `${prefix}clientCapabilities`,
  clientInfo: `${prefix}clientInfo`,
  serverInfo: `${prefix}serverInfo`,
  logLevel: `${prefix}logLevel`,
  subscriptionId: `${prefix}subscriptionId`,
} as const

/** JSON-RPC codes that this program answers with or looks for. */
export const rpcCodes = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  /** Legacy only; the modern era says invalidParams. */
  resourceNotFound: -32002,
  headerMismatch: -32020,
  missingCapability: -32021,
  unsupportedVersion: -32022,
} as const

export type Params = Record<string, unknown>
export type Implementation = { name: string; version: string; [key: string]: unknown }

export function isObject(value: unknown): value is Params {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** `_meta` of a request or notification; undefined when it has none. */
export function metaOf(params: unknown): Params | undefined {
  const meta = isObject(params) ? params['_meta'] : undefined
  return isObject(meta) ? meta : undefined
}
