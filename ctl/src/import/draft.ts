import type { ManifestObject, Position } from '../manifest/manifest.ts'

/** A server as another program's file says it; values may hold references to variables, and secrets. */
export type Draft = {
  name: string
  /** A list of program and arguments, a package, or a URL. */
  source: { command: string[] } | { package: PackageSource } | { url: string; transport?: 'streamable-http' }
  env: Record<string, string>
  headers: Record<string, string>
  /** Fields of the spec that need no further thought. */
  fields: Record<string, unknown>
  /** What has no place here, by its name there. */
  aside: Record<string, unknown>
  at: (path?: string) => Position
}
export type PackageSource = { runtime: 'node' | 'python'; name: string; version?: string; args?: string[] }

/** What was left out, and where it stood: `servers.github`, or the file itself. */
export type Aside = { of: string; fields: Record<string, unknown> }
/** `server`: whose fault it is, if it is one server's alone. */
export type ImportProblem = { position: Position; detail: string; server?: string }

/** What a file was turned into, before secrets are taken out of the servers. */
export type Imported = { drafts: Draft[]; objects: ManifestObject[]; aside: Aside[]; problems: ImportProblem[]; notes: string[] }

export const nothing = (): Imported => ({ drafts: [], objects: [], aside: [], problems: [], notes: [] })

export type Fields = Record<string, unknown>
export const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The fields that are not among the known ones. */
export const others = (fields: Fields, known: readonly string[]): Fields =>
  Object.fromEntries(Object.entries(fields).filter(([key]) => !known.includes(key)))

/** A name as objects have them here; '' where nothing of it is left. */
export const nameOf = (text: string): string =>
  text
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 63)
    .replace(/^-+|-+$/g, '')

/** Text of a map's values, as variables and headers have them; numbers and booleans are written out, what is deeper is left out. */
export function textsOf(value: unknown): { texts: Record<string, string>; rest: Fields } {
  const texts: Record<string, string> = {}
  const rest: Fields = {}
  for (const [key, one] of Object.entries(isFields(value) ? value : {}))
    if (typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean') texts[key] = String(one)
    else if (one !== null) rest[key] = one
  return { texts, rest }
}
