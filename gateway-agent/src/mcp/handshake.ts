import { McpgError } from '@mcpg/proto/errors'
import type { Era, McpFailure, McpOutcome } from './connection.ts'
import { isObject, legacyVersions, metaKeys, metaOf, modernVersions, newestLegacy, type Implementation, type Params } from './protocol.ts'

/** What the opening exchange has told about the server. */
export type Opened = {
  era: Era
  protocolVersion: string
  serverInfo: Implementation
  capabilities: Params
  instructions: string | undefined
}

export function initializeParams(clientInfo: Implementation, capabilities: Params = {}): Params {
  return { protocolVersion: newestLegacy, capabilities, clientInfo }
}

/** Throws McpgError when the server refuses, or names a version nobody here speaks. */
export function openedLegacy(outcome: McpOutcome): Opened {
  if ('error' in outcome) throw refused('initialize', outcome.error)
  const { protocolVersion, capabilities, serverInfo, instructions } = outcome.result
  if (!legacyVersions.some((version) => version === protocolVersion))
    throw new McpgError(
      'unsupported',
      'protocol_version',
      `The server answered initialize with the protocol version ${JSON.stringify(protocolVersion)}.`,
      {
        hint: `Spoken here: ${legacyVersions.join(', ')} and ${modernVersions.join(', ')}.`,
      },
    )
  return {
    era: 'legacy',
    protocolVersion: protocolVersion as string,
    serverInfo: implementation(serverInfo),
    capabilities: isObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === 'string' ? instructions : undefined,
  }
}

/** Null when the answer is not that of a modern server we can talk to. */
export function openedModern(outcome: McpOutcome): Opened | null {
  if ('error' in outcome) return null
  const { supportedVersions, capabilities, instructions } = outcome.result
  const version = modernVersions.find((one) => Array.isArray(supportedVersions) && supportedVersions.includes(one))
  if (!version) return null
  return {
    era: 'modern',
    protocolVersion: version,
    serverInfo: implementation(metaOf(outcome.result)?.[metaKeys.serverInfo]),
    capabilities: isObject(capabilities) ? capabilities : {},
    instructions: typeof instructions === 'string' ? instructions : undefined,
  }
}

export function refused(method: string, error: McpFailure): McpgError {
  return new McpgError('failed_precondition', 'handshake_refused', `The server refused ${method}: ${error.message} (${error.code}).`)
}

function implementation(value: unknown): Implementation {
  const info = isObject(value) ? value : {}
  const text = (key: string) => (typeof info[key] === 'string' ? (info[key] as string) : '')
  return { ...info, name: text('name'), version: text('version') }
}
