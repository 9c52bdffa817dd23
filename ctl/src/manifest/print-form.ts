import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration, Resource } from '@mcpg/proto/kinds/kind'
import { stringify } from 'yaml'
import { tenancyKinds } from '../api/tenancy.ts'
import { escapeReferences } from './expand.ts'
import { fieldOrder } from './field-order.ts'

type Printable = Pick<Resource, 'kind' | 'spec'> & {
  metadata: { name: string; project?: string | undefined; labels?: Record<string, string>; annotations?: Record<string, string> }
  status?: Resource['status']
}

/** The grouped form: what people write, and what `apply` reads back unchanged. Kinds that are only reported show their status. */
export function groupedYaml(resources: Printable[]): string {
  const groups: Record<string, unknown[]> = {}
  for (const kind of [...kinds, ...tenancyKinds]) {
    const own = resources.filter((one) => one.kind === kind.kind)
    if (own.length > 0) groups[kind.plural] = own.map((one) => groupedFields(kind, one))
  }
  return toYaml(groups)
}

/** One object of the grouped form: metadata and the fields of the spec side by side, in the order of the schema. */
export function groupedFields(kind: KindDeclaration, { metadata, spec, status }: Printable): Record<string, unknown> {
  return escaped({
    name: metadata.name,
    ...(kind.scope === 'project' && metadata.project ? { project: metadata.project } : {}),
    ...(isEmpty(metadata.labels) ? {} : { labels: metadata.labels }),
    ...(isEmpty(metadata.annotations) ? {} : { annotations: metadata.annotations }),
    ...(fieldOrder(kind.spec, spec) as Record<string, unknown>),
    ...(kind.virtual && !kind.appliedAs && status && Object.keys(status).length > 0 ? { status } : {}),
  }) as Record<string, unknown>
}

/** Readers of YAML 1.1 take `no` and `12:30` for something else than text, so these are quoted. */
export const toYaml = (value: unknown): string => stringify(value, { version: '1.2', compat: 'yaml-1.1', lineWidth: 0 })

const isEmpty = (map: Record<string, string> | undefined) => !map || Object.keys(map).length === 0

function escaped(value: unknown): unknown {
  if (typeof value === 'string') return escapeReferences(value)
  if (Array.isArray(value)) return value.map(escaped)
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, escaped(one)]))
  return value
}
