import { randomUUID } from 'node:crypto'
import type { Violation } from '@mcpg/proto/errors'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import type { FieldDiff } from '@mcpg/proto/rest/apply'
import type { SecretValueRow } from '../db/db.ts'
import type { Content } from './content.ts'
import { planWrite, type Planned } from './plan.ts'
import type { StoredRow } from './store.ts'

export type VaultWrite = { scope: string; name: string; uid: string; before: StoredRow | null; content: Content; at: string }

/** What a write does to the values of an object: those that differ, named and sealed, and what is wrong with it (below the object). */
export type KeptValues = { diffs: FieldDiff[]; values: SecretValueRow[]; violations: Violation[] }

/** Keeps the values of a kind that may not stand in a spec; its room brings it. */
export type Vault = {
  /** The content as it is stored, shown and compared, and whether a value stood in it. */
  strip(content: Content): { content: Content; hasValues: boolean }
  /** Changes nothing: the values are written with the row they belong to. */
  keep(write: VaultWrite): Promise<KeptValues>
}

export type Vaults = ReadonlyMap<string, Vault>

/** The plan for an object that is to look like `content`, whatever of it is kept elsewhere. */
export async function planObject(
  vaults: Vaults,
  declaration: KindDeclaration,
  { before, ...write }: Omit<VaultWrite, 'uid'>,
): Promise<{ planned: Planned; violations: Violation[] }> {
  const vault = vaults.get(declaration.kind)
  const uid = before?.uid ?? randomUUID()
  // Without it the values would be stored as they are.
  if (!vault && declaration.sensitive.length > 0) throw new Error(`nobody brought a vault for the values of ${declaration.kind}`)
  if (!vault) return { planned: planWrite(declaration, { ...write, uid, before }), violations: [] }
  const { diffs, values, violations } = await vault.keep({ ...write, uid, before })
  const { content } = vault.strip(write.content)
  return { planned: planWrite(declaration, { ...write, uid, before, content, kept: { diffs, values } }), violations }
}
