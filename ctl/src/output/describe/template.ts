import type { Resource } from '@mcpg/proto/kinds/kind'
import type { Parameter, TemplateSpec } from '@mcpg/proto/kinds/template'
import { facts, next, rows, usedBy, yaml } from './parts.ts'
import type { Related } from './related.ts'

/** Its newest version, which servers are made from unless another one is named. */
export function templateSections({ metadata, spec }: Resource, { users }: Pick<Related, 'users'>): string[] {
  const { description, versions } = spec as TemplateSpec
  const newest = versions.at(-1)!
  const parameters = newest.parameters ?? []
  const needed = parameters.filter((one) => one.default === undefined)
  return [
    ...facts('Template', [
      ['Description', description],
      ['Newest', newest.version],
      ['Versions', versions.map(({ version }) => version).join(', ')],
    ]),
    ...rows(
      `Parameters of ${newest.version}`,
      ['name', 'type', 'default', 'description'],
      parameters.map((one) => [
        one.name,
        typeText(one),
        one.default === undefined ? '(must be given)' : String(one.default),
        one.description ?? '',
      ]),
      ['none'],
    ),
    ...yaml(`Server of ${newest.version}`, newest.server),
    ...usedBy(users, 'no server'),
    ...next(
      ['mcpg-ctl create server <name> --from-template', metadata.name, ...needed.map(({ name, type }) => `--param ${name}=<${type}>`)].join(
        ' ',
      ),
    ),
  ]
}

const typeText = ({ type, enum: allowed }: Parameter): string => (allowed ? allowed.join(' | ') : type)
