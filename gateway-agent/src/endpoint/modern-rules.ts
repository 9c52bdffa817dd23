import type { IncomingHttpHeaders } from 'node:http'
import type { McpFailure } from '../mcp/connection.ts'
import { argumentText, decodeHeader, nameField, type ParamHeader } from '../mcp/param-headers.ts'
import { isObject, legacyVersions, metaKeys, metaOf, modernVersions, rpcCodes, type Params } from '../mcp/protocol.ts'

export type Refused = { failure: McpFailure; status: number }

/** Which era a message belongs to: its body says it, the header only speaks where the body is silent. */
export function eraOf(method: string, params: Params | undefined, versionHeader: string | undefined): 'modern' | 'legacy' {
  const claimed = metaOf(params)?.[metaKeys.protocolVersion]
  if (claimed !== undefined) return method === 'initialize' && !isModern(claimed) ? 'legacy' : 'modern'
  return isModern(versionHeader) ? 'modern' : 'legacy'
}

export function isModern(version: unknown): boolean {
  return modernVersions.some((one) => one === version)
}

export function isLegacy(version: unknown): boolean {
  return legacyVersions.some((one) => one === version)
}

/** What is wrong with a modern request's envelope and headers; null when it may be served. Earlier rules win. */
export function checkModern(method: string, params: Params | undefined, headers: IncomingHttpHeaders): Refused | null {
  const version = text(headers['mcp-protocol-version'])
  const meta = metaOf(params)
  const claimed = meta?.[metaKeys.protocolVersion]
  if (method === 'initialize' && claimed === undefined)
    return mismatch('mcp-protocol-version', `initialize belongs to the legacy era, but MCP-Protocol-Version is ${version}`)
  const missing = [metaKeys.protocolVersion, metaKeys.clientCapabilities].filter((key) => meta?.[key] === undefined)
  if (missing.length > 0) return invalid(`The _meta of the request lacks ${missing.join(' and ')}.`)
  if (typeof claimed !== 'string') return invalid(`${metaKeys.protocolVersion} must be a string.`)
  if (!isObject(meta?.[metaKeys.clientCapabilities])) return invalid(`${metaKeys.clientCapabilities} must be an object.`)
  const info = meta[metaKeys.clientInfo]
  if (info !== undefined && !isObject(info)) return invalid(`${metaKeys.clientInfo} must be an object.`)
  if (version !== undefined && version !== claimed)
    return mismatch('mcp-protocol-version', `the body names the version ${claimed}, MCP-Protocol-Version names ${version}`)
  const methodHeader = text(headers['mcp-method'])
  if (methodHeader !== undefined && methodHeader !== method)
    return mismatch('mcp-method', `the body names the method ${method}, Mcp-Method names ${methodHeader}`)
  if (!isModern(claimed)) return unsupported(claimed)
  if (version === undefined) return mismatch('mcp-protocol-version', 'MCP-Protocol-Version is missing')
  if (methodHeader === undefined) return mismatch('mcp-method', 'Mcp-Method is missing')
  return checkName(method, params, headers)
}

function checkName(method: string, params: Params | undefined, headers: IncomingHttpHeaders): Refused | null {
  const field = nameField(method)
  const named = field && params?.[field]
  const header = text(headers['mcp-name'])
  if (field === undefined) return null
  if (header === undefined) return typeof named === 'string' ? mismatch('mcp-name', 'Mcp-Name is missing') : null
  const decoded = decodeHeader(header)
  if (decoded === undefined) return mismatch('mcp-name', 'Mcp-Name is no valid Base64')
  return typeof named === 'string' && decoded !== named ? mismatch('mcp-name', `the body names ${named}, Mcp-Name names ${decoded}`) : null
}

/** Compares the headers that repeat arguments of a tool with the arguments. */
export function checkParamHeaders(tool: readonly ParamHeader[], args: unknown, headers: IncomingHttpHeaders): Refused | null {
  for (const { header, path, numeric } of tool) {
    const wanted = argumentText(args, path)
    if (wanted === undefined) continue
    const given = text(headers[header])
    if (given === undefined) return mismatch(header, `the argument ${path.join('.')} is given, its header ${header} is missing`)
    const decoded = decodeHeader(given)
    if (decoded === undefined) return mismatch(header, `${header} is no valid Base64`)
    const isEqual = decoded === wanted || (numeric && /^-?\d+(\.\d+)?$/.test(decoded) && Number(decoded) === Number(wanted))
    if (!isEqual) return mismatch(header, `the argument ${path.join('.')} is ${wanted}, its header ${header} says ${decoded}`)
  }
  return null
}

export function unsupported(requested: unknown): Refused {
  const data = { supported: [...modernVersions], requested }
  return { failure: { code: rpcCodes.unsupportedVersion, message: 'Unsupported protocol version', data }, status: 400 }
}

function invalid(message: string): Refused {
  return { failure: { code: rpcCodes.invalidParams, message }, status: 400 }
}

function mismatch(header: string, difference: string): Refused {
  const message = `The headers and the body of the request disagree: ${difference}.`
  return { failure: { code: rpcCodes.headerMismatch, message, data: { mismatch: { header, body: difference } } }, status: 400 }
}

function text(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join(', ') : header?.trim()
}
