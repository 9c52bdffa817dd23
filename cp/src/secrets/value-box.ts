import type { Keys } from '../keys/keys.ts'
import type { StoredValue } from './store.ts'

export type ValueBox = ReturnType<typeof valueBox>

type Place = Omit<StoredValue, 'dataKeyId' | 'sealed'>

/** Values of secrets to and from what lies in the table, each bound to its scope, secret, key and version. */
export function valueBox(keys: Pick<Keys, 'sealValue' | 'openValue'>) {
  return {
    seal: (place: Place, value: string) => keys.sealValue(contextOf(place), Buffer.from(value)),
    open: (value: StoredValue): string => keys.openValue(contextOf(value), value).toString(),
  }
}

const contextOf = ({ scope, secretUid, name, key, version }: Place) => ['secret', scope, secretUid, name, key, version].join('\0')
