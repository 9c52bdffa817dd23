import { findKind } from './kinds.ts'

/** What rights are about beside kinds. */
const others: Record<string, string> = {
  org: 'orgs',
  orgs: 'orgs',
  workspace: 'workspaces',
  workspaces: 'workspaces',
  environment: 'environments',
  environments: 'environments',
  audit: 'audit',
}

/** Every word that may follow a verb, `*` for all. */
export const accessWords = (): string => 'a kind, orgs, workspaces, environments, audit or *'

/** The word under which rights are kept: the plural of a kind, a level of places, `audit` or `*`; undefined for a word that is none of them. */
export function accessWord(word: string): string | undefined {
  if (word === '*') return '*'
  return others[word.toLowerCase()] ?? findKind(word)?.plural
}
