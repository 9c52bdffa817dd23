import { metaKeys, metaOf, modernVersion, type Implementation, type Params } from './protocol.ts'

/** What goes on the wire to a legacy server: without the keys of the modern envelope, with our own progress token. */
export function legacyParams(params: Params | undefined, id: number): Params | undefined {
  const meta = metaOf(params)
  if (!meta) return params
  const kept: Params = {}
  for (const key of Object.keys(meta)) if (!key.startsWith(metaKeys.prefix)) kept[key] = meta[key]
  if (kept['progressToken'] !== undefined) kept['progressToken'] = id
  const { _meta, ...rest } = params!
  return Object.keys(kept).length > 0 ? { ...rest, _meta: kept } : rest
}

/** What goes on the wire to a modern server: the envelope of the caller where it has one, ours where it does not. */
export function modernParams(params: Params | undefined, id: number, clientInfo: Implementation): Params {
  const meta = metaOf(params)
  const envelope: Params = {
    [metaKeys.clientCapabilities]: {},
    [metaKeys.clientInfo]: clientInfo,
    ...meta,
    [metaKeys.protocolVersion]: modernVersion,
  }
  if (envelope['progressToken'] !== undefined) envelope['progressToken'] = id
  return { ...params, _meta: envelope }
}
