import { z } from 'zod'
import { Annotations, Labels, Name } from '../names.ts'
import type { KindDeclaration, Resource } from './kind.ts'

/** Annotations of a server that was made from a template: `name:version`, and the parameters as JSON. They say where an upgrade starts. */
export const templateSource = 'mcpg.dev/template'
export const templateParameters = 'mcpg.dev/template-parameters'

const ParameterName = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,62}$/, 'must be 1-63 of A-Za-z0-9_, and not begin with a digit')
export const TemplateVersionName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, 'must be 1-63 of A-Za-z0-9._-')
export const ParameterValue = z.union([z.string(), z.number(), z.boolean()])
export type ParameterValue = z.infer<typeof ParameterValue>

const Parameter = z.strictObject({
  name: ParameterName,
  type: z.enum(['string', 'integer', 'boolean']),
  description: z.string().max(1024).optional(),
  default: ParameterValue.optional().describe('Without it the parameter must be given'),
  enum: z.array(z.string()).min(1).max(100).optional().describe('The only values of a string'),
})
export type Parameter = z.infer<typeof Parameter>

const Version = z.strictObject({
  version: TemplateVersionName,
  parameters: z.array(Parameter).max(100).optional(),
  server: z.record(z.string(), z.unknown()).describe('Spec of the server, with {{parameter}} where a value belongs'),
})
export type TemplateVersion = z.infer<typeof Version>

/** What is wrong with a value, or null. A secret is no parameter: templates name a Secret by a string. */
export function problemOfParameter({ type, enum: allowed }: Parameter, value: ParameterValue): string | null {
  const fits = type === 'integer' ? Number.isSafeInteger(value) : typeof value === type
  if (!fits) return `must be ${type === 'integer' ? 'an integer' : `a ${type}`}`
  if (allowed && !allowed.includes(String(value))) return `must be one of ${allowed.join(', ')}`
  return null
}

/** `{{name}}` in a text. */
export const placeholder = /\{\{\s*([A-Za-z_][A-Za-z0-9_]*)\s*\}\}/g

export const TemplateSpec = z.strictObject({
  description: z.string().max(1024).optional(),
  versions: z
    .array(Version)
    .min(1)
    .max(100)
    .superRefine((versions, ctx) => {
      const seen = new Set<string>()
      versions.forEach(({ version, parameters = [], server }, index) => {
        if (seen.has(version)) ctx.addIssue({ code: 'custom', path: [index, 'version'], message: `${version} is given twice` })
        seen.add(version)
        const names = new Set<string>()
        parameters.forEach((parameter, at) => {
          const { name, default: value } = parameter
          const path = [index, 'parameters', at]
          if (names.has(name)) ctx.addIssue({ code: 'custom', path: [...path, 'name'], message: `${name} is given twice` })
          names.add(name)
          const problem = value === undefined ? null : problemOfParameter(parameter, value)
          if (problem) ctx.addIssue({ code: 'custom', path: [...path, 'default'], message: problem })
        })
        for (const [, name = ''] of JSON.stringify(server).matchAll(placeholder))
          if (!names.has(name)) ctx.addIssue({ code: 'custom', path: [index, 'server'], message: `{{${name}}} is no parameter` })
      })
    })
    .describe('Every version that servers may be made from; the last one is the newest'),
})
export type TemplateSpec = z.infer<typeof TemplateSpec>

/** Body of `POST …/templates/{t}/instantiate`; without `version`: the newest. */
export const InstantiateRequest = z.strictObject({
  name: Name.describe('Of the new server'),
  version: TemplateVersionName.optional(),
  parameters: z.record(z.string(), ParameterValue).optional(),
  labels: Labels.optional(),
  annotations: Annotations.optional(),
  dryRun: z.boolean().optional(),
})
export type InstantiateRequest = z.infer<typeof InstantiateRequest>

const spec = (resource: Resource) => resource.spec as TemplateSpec

export const templateKind: KindDeclaration = {
  kind: 'Template',
  plural: 'templates',
  aliases: ['template', 'tpl'],
  scope: 'workspace',
  virtual: false,
  description: 'A blueprint that servers are made from, with typed parameters, in versions.',
  specVersion: 1,
  spec: TemplateSpec,
  status: z.object({}),
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'newest', value: (resource) => spec(resource).versions.at(-1)?.version ?? '' },
    {
      name: 'parameters',
      value: (resource) => (spec(resource).versions.at(-1)?.parameters ?? []).map(({ name }) => name).join(','),
    },
    { name: 'description', value: (resource) => spec(resource).description ?? '' },
    {
      name: 'versions',
      wide: true,
      value: (resource) =>
        spec(resource)
          .versions.map(({ version }) => version)
          .join(','),
    },
  ],
  actions: {
    instantiate: {
      access: { verb: 'view', on: 'templates' },
      description: 'Creates a server from the template and answers it, for who may create that; the server records where it comes from',
      body: InstantiateRequest,
    },
  },
  upgrade: (stored) => stored,
}
