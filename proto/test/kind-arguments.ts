import { z } from 'zod'
import type { KindDeclaration } from '../src/kinds/kind.ts'

type Schema = { type?: string; properties?: Record<string, Schema>; items?: Schema; anyOf?: Schema[] }

/** Flags of `create` that mean something else beside a field of that name. */
const taken = new Set(['version', 'project', 'environment', 'token', 'output', 'org', 'workspace', 'label', 'from'])

/** The flags of `create <kind>` that say a spec, written out by the published rule and not by the program's own table. */
export function argumentsOf(kind: KindDeclaration, spec: object): string[] {
  const schema = z.toJSONSchema(kind.spec, { io: 'input', unrepresentable: 'any' }) as Schema
  return within(schema, spec, [])
}

function within(schema: Schema, value: object, above: string[]): string[] {
  const fields = Object.keys(schema.properties ?? {})
  return Object.entries(value).flatMap(([field, one]) =>
    ofField(schema.properties?.[field] ?? {}, one as unknown, [...above, field], fields),
  )
}

function ofField(schema: Schema, value: unknown, path: string[], siblings: string[]): string[] {
  const last = path.at(-1) ?? ''
  const flag = (word: string) => named([...path.slice(0, -1), word])
  const single = last.replace(/ies$/, 'y').replace(/(?<![su])s$/, '')
  const repeated = flag(siblings.includes(single) ? last : single)
  if (typeof value === 'boolean') return [value ? flag(last) : flag(last).replace('--', '--no-')]
  if (Array.isArray(value)) {
    const isAlone = value.length === 0 || (value.length === 1 && schema.anyOf !== undefined)
    return isAlone ? [repeated, JSON.stringify(value)] : value.flatMap((one) => [repeated, text(one)])
  }
  if (typeof value !== 'object' || value === null) {
    const above = path.at(-2)
    return [above === last ? named(path.slice(0, -1)) : schema.anyOf ? repeated : flag(last), String(value)]
  }
  if (!schema.properties) return Object.entries(value).flatMap(([key, one]) => [repeated, `${key}=${text(one)}`])
  return Object.keys(value).length === 0 ? [flag(last), '{}'] : within(schema, value, path)
}

function named(path: string[]): string {
  const flag = path.map((part) => part.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)).join('-')
  return `--${taken.has(flag) ? 'spec-' : ''}${flag}`
}

/** An item of a list or a value of a map; objects as JSON, which `create` takes wherever it takes an object. */
const text = (value: unknown) => (typeof value === 'object' ? JSON.stringify(value) : String(value))
