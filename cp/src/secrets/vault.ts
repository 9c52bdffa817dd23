import type { Violation } from '@mcpg/proto/errors'
import { changedValue, maxSecretBytes, storedValue, type SecretSpec } from '@mcpg/proto/kinds/secret'
import type { FieldDiff } from '@mcpg/proto/rest/apply'
import type { SecretValueRow } from '../db/db.ts'
import type { Content } from '../resources/content.ts'
import { escapePointer } from '../resources/differ.ts'
import type { KeptValues, Vault, VaultWrite } from '../resources/vault.ts'
import type { SecretStore, StoredValue } from './store.ts'
import type { ValueBox } from './value-box.ts'

/**
 * What keeps the values of secrets out of everything that is made from a spec: rows, history, events, audit, digests and answers. The
 * version of a key is raised only when its value is another one.
 */
export function secretVault({ store, box }: { store: SecretStore; box: ValueBox }): Vault {
  return { strip, keep }

  function strip(content: Content): { content: Content; hasValues: boolean } {
    const { data } = specOf(content)
    const keys = Object.keys(data)
    return {
      content: { ...content, spec: { data: Object.fromEntries(keys.map((key) => [key, { keep: true }])) } },
      hasValues: keys.some((key) => typeof data[key] === 'string'),
    }
  }

  async function keep({ scope, name, uid, before, content, at }: VaultWrite): Promise<KeptValues> {
    const { data } = specOf(content)
    const stored = new Set(before ? Object.keys((JSON.parse(before.spec) as SecretSpec).data) : [])
    const violations: Violation[] = Object.keys(data)
      .filter((key) => typeof data[key] !== 'string' && !stored.has(key))
      .map((key) => ({ pointer: pointerOf(key), detail: `has nothing to keep: no value of ${key} is stored in Secret ${name}` }))
    const sent = Object.entries(data).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
    if (sent.length === 0) return { diffs: [], values: [], violations }

    const versions = new Map((await store.keys(scope, name)).map(({ key, version }) => [key, version]))
    const current = await currentValues(scope, name, stored, versions)
    const diffs: FieldDiff[] = []
    const values: SecretValueRow[] = []
    for (const [key, value] of sent) {
      const known = current.get(key)
      if (known && box.open(known) === value) continue
      // What is new stands in the content already.
      if (stored.has(key)) diffs.push({ path: pointerOf(key), before: storedValue, after: changedValue })
      const version = (versions.get(key) ?? 0) + 1
      const place = { scope, secretUid: uid, name, key, version }
      values.push({ name, key, version, secretUid: uid, ...box.seal(place, value), createdAt: at })
    }
    const bytes = Object.entries(data).reduce(
      (sum, [key, value]) => sum + (typeof value === 'string' ? Buffer.byteLength(value) : (current.get(key)?.sealed.length ?? 0)),
      0,
    )
    if (bytes > maxSecretBytes)
      violations.push({ pointer: '/spec/data', detail: `takes more than ${maxSecretBytes >> 20} MiB with the values that are kept` })
    return { diffs, values, violations }
  }

  async function currentValues(scope: string, name: string, stored: ReadonlySet<string>, versions: ReadonlyMap<string, number>) {
    const wanted = [...stored].flatMap((key) => {
      const version = versions.get(key)
      return version === undefined ? [] : [{ name, key, version }]
    })
    return new Map<string, StoredValue>((await store.values(scope, wanted)).map((value) => [value.key, value]))
  }
}

const specOf = ({ spec }: Content) => spec as SecretSpec
const pointerOf = (key: string) => `/spec/data/${escapePointer(key)}`
