import { McpgError } from '@mcpg/proto/errors'
import type { Resource } from '@mcpg/proto/kinds/kind'
import { serverKind } from '@mcpg/proto/kinds/server'
import {
  templateKind,
  templateParameters,
  templateSource,
  type InstantiateRequest,
  type TemplateSpec,
  type TemplateVersion,
} from '@mcpg/proto/kinds/template'
import type { UpgradeAnswer, UpgradeRequest } from '@mcpg/proto/rest/upgrade'
import { invalid } from '../http/problems.ts'
import { differences, isRecord } from '../resources/differ.ts'
import type { ActionCall } from '../resources/extensions.ts'
import type { Resources } from '../resources/resources.ts'
import { problemsOfValues, render, type ParameterValues } from './render.ts'
import { threeWay } from './three-way.ts'

/** Makes servers from templates, and brings them to other versions of theirs. */
export function templateRoom({ resources }: { resources: Pick<Resources, 'addAction' | 'create' | 'get' | 'update'> }): void {
  resources.addAction(templateKind.kind, 'instantiate', instantiate)
  resources.addAction(serverKind.kind, 'upgrade', upgrade)

  async function instantiate({ caller, scope, resource, body }: ActionCall): Promise<Resource> {
    if (!isRecord(body)) throw invalid([{ pointer: '/name', detail: 'is missing' }])
    const { name, version, parameters = {}, labels, annotations, dryRun } = body as InstantiateRequest
    // The route's own right is about the template; this one is about the server.
    if (!caller.can({ verb: 'create', on: serverKind.plural }, scope, name))
      throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not create the server ${name}.`)
    const chosen = versionOf(resource, version)
    refuse(problemsOfValues(chosen, parameters))
    const metadata = { name, ...(labels && { labels }), annotations: { ...annotations, ...recorded(resource, chosen, parameters) } }
    return resources.create(caller, serverKind, scope, { kind: serverKind.kind, metadata, spec: render(chosen, parameters) }, { dryRun })
  }

  async function upgrade({ caller, scope, resource, body }: ActionCall): Promise<UpgradeAnswer> {
    const { to, parameters: given = {}, dryRun = false } = (body ?? {}) as UpgradeRequest
    const source = sourceOf(resource)
    const template = await resources.get(caller, templateKind, scope, source.template)
    const [old, chosen] = [versionOf(template, source.version), versionOf(template, to)]
    const known = new Set((chosen.parameters ?? []).map(({ name }) => name))
    const kept = Object.fromEntries(Object.entries(source.parameters).filter(([name]) => known.has(name)))
    const parameters = { ...kept, ...given }
    refuse(problemsOfValues(chosen, parameters))
    const [base, theirs] = [render(old, source.parameters), render(chosen, parameters)]
    const { conflicts } = threeWay(base, resource.spec, theirs)
    const explained = conflicts.map((pointer) => ({
      pointer: `/spec${pointer}`,
      detail: `was changed here and by ${source.template}:${chosen.version}`,
    }))
    if (explained.length > 0 && !dryRun)
      throw new McpgError('conflict', 'upgrade_conflicts', `${resource.metadata.name} was changed where the template changed too.`, {
        violations: explained,
        hint: 'Set these fields as the template has them, or as you want them, after a look at the dry run; then upgrade again.',
      })
    const after = await resources.update(
      caller,
      serverKind,
      scope,
      resource.metadata.name,
      // Refused when somebody was faster: what was compared would not be what is replaced.
      { dryRun, verb: 'upgrade', ifMatch: resource.metadata.resourceVersion },
      ({ metadata: { name, labels, annotations }, spec }) => ({
        metadata: { name, labels, annotations: { ...annotations, ...recorded(template, chosen, parameters) } },
        spec: threeWay(base, spec, theirs).value,
      }),
    )
    return { dryRun, from: old.version, to: chosen.version, diffs: differences(resource.spec, after.spec, '/spec'), conflicts: explained }
  }
}

function versionOf({ metadata, spec }: Resource, version: string | undefined): TemplateVersion {
  const { versions } = spec as TemplateSpec
  const found = version === undefined ? versions.at(-1) : versions.find((one) => one.version === version)
  if (found) return found
  throw new McpgError('not_found', 'template_version_unknown', `The template ${metadata.name} has no version ${version}.`, {
    hint: `It has ${versions.map((one) => one.version).join(', ')}.`,
  })
}

const recorded = ({ metadata: { name } }: Resource, { version }: TemplateVersion, parameters: ParameterValues) => ({
  [templateSource]: `${name}:${version}`,
  [templateParameters]: JSON.stringify(parameters),
})

function sourceOf({ metadata }: Resource): { template: string; version: string; parameters: ParameterValues } {
  const [template, version] = (metadata.annotations[templateSource] ?? '').split(':')
  const parameters = parse(metadata.annotations[templateParameters])
  if (template && version && parameters) return { template, version, parameters }
  throw new McpgError('conflict', 'not_from_template', `The server ${metadata.name} does not say which template it was made from.`, {
    hint: `The annotations ${templateSource} (name:version) and ${templateParameters} (JSON) say it.`,
  })
}

function parse(text: string | undefined): ParameterValues | null {
  try {
    const parsed: unknown = JSON.parse(text ?? '')
    return isRecord(parsed) ? (parsed as ParameterValues) : null
  } catch {
    return null
  }
}

function refuse(violations: ReturnType<typeof problemsOfValues>): void {
  if (violations.length > 0) throw invalid(violations)
}
