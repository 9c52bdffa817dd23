import { findNumber, recordOf, textOf } from '../../../lib/objects/reported.ts'

/** One piece of a result, as it can be shown; `bytes` is the size of what was sent, decoded. */
export type Block =
  | { kind: 'text'; text: string }
  | { kind: 'image' | 'audio'; src: string; mimeType: string; bytes: number }
  | { kind: 'binary'; base64: string; mimeType: string; bytes: number; why: string }
  | { kind: 'link'; uri: string; title: string; description: string; mimeType: string; bytes: number | undefined }
  | { kind: 'resource'; uri: string; mimeType: string; inner: Block }
  | { kind: 'unknown'; type: string; value: unknown }

/**
 * What a browser draws or plays without running anything. SVG is a document that could, so it is shown as what it is: a file.
 * The type comes from the server and goes into an address, so it is one of these to the letter or none.
 */
const imageTypes = new Set(['image/png', 'image/jpeg', 'image/gif', 'image/webp', 'image/avif', 'image/bmp'])
const audioTypes = new Set([
  'audio/wav',
  'audio/x-wav',
  'audio/mpeg',
  'audio/mp3',
  'audio/mp4',
  'audio/aac',
  'audio/ogg',
  'audio/webm',
  'audio/flac',
])

export function blockOf(value: unknown): Block {
  const content = recordOf(value)
  const type = textOf(content['type'])
  const mimeType = textOf(content['mimeType'])
  if (type === 'text' && typeof content['text'] === 'string') return { kind: 'text', text: content['text'] }
  if ((type === 'image' || type === 'audio') && typeof content['data'] === 'string') return binaryBlock(content['data'], mimeType, type)
  if (type === 'resource_link' && typeof content['uri'] === 'string')
    return {
      kind: 'link',
      uri: content['uri'],
      title: textOf(content['title']) || textOf(content['name']),
      description: textOf(content['description']),
      mimeType,
      bytes: findNumber(content['size']),
    }
  if (type === 'resource') return resourceBlock(content)
  return { kind: 'unknown', type: type || 'without a type', value }
}

function resourceBlock(content: Record<string, unknown>): Block {
  const resource = recordOf(content['resource'])
  const uri = textOf(resource['uri'])
  const mimeType = textOf(resource['mimeType'])
  if (typeof resource['text'] === 'string') return { kind: 'resource', uri, mimeType, inner: { kind: 'text', text: resource['text'] } }
  if (typeof resource['blob'] === 'string') return { kind: 'resource', uri, mimeType, inner: binaryBlock(resource['blob'], mimeType) }
  return { kind: 'unknown', type: 'resource', value: content }
}

function binaryBlock(data: string, mimeType: string, claimed?: 'image' | 'audio'): Block {
  const base64 = data.replaceAll(/\s/g, '')
  const type = mimeType.toLowerCase()
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 === 1)
    return { kind: 'unknown', type: claimed ?? 'resource', value: data }
  const bytes = Math.floor((base64.replaceAll('=', '').length * 3) / 4)
  const kind = imageTypes.has(type) ? 'image' : audioTypes.has(type) ? 'audio' : undefined
  if (kind && (claimed ?? kind) === kind) return { kind, src: `data:${type};base64,${base64}`, mimeType, bytes }
  return { kind: 'binary', base64, mimeType, bytes, why: mimeType ? `${mimeType} is not shown in the page.` : 'Its type is not said.' }
}
