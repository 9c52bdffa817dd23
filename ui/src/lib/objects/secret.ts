import type { Resource } from '@mcpg/proto/kinds/kind'
import { labelsOf, numberOf, recordOf, recordsOf, textOf, textsOf } from './reported.ts'

/** A secret as it is answered: keys and their versions, and who uses them; never a value. */
export type SecretView = {
  name: string
  labels: Record<string, string>
  createdAt: string
  keys: { key: string; version: number; updatedAt: string }[]
  usedBy: { kind: string; name: string; keys: string[] }[]
}

export function secretView({ metadata, spec, status }: Resource): SecretView {
  const reported = new Map(recordsOf(recordOf(status)['keys']).map((one) => [textOf(one['key']), one]))
  return {
    name: metadata.name,
    labels: labelsOf(metadata.labels),
    createdAt: textOf(metadata.createdAt),
    keys: Object.keys(recordOf(recordOf(spec)['data'])).map((key) => ({
      key,
      version: numberOf(reported.get(key)?.['version']),
      updatedAt: textOf(reported.get(key)?.['updatedAt']),
    })),
    usedBy: recordsOf(recordOf(status)['usedBy']).map((one) => ({
      kind: textOf(one['kind']),
      name: textOf(one['name']),
      keys: textsOf(one['keys']),
    })),
  }
}

/** When a value changed last. */
export const changedAt = ({ keys, createdAt }: SecretView): string =>
  keys.reduce((latest, { updatedAt }) => (updatedAt > latest ? updatedAt : latest), createdAt)
