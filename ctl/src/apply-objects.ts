import { McpgError, type Violation } from '@mcpg/proto/errors'
import { ApplyResponse, type ApplyResult } from '@mcpg/proto/rest/apply'
import { findKind } from '@mcpg/proto/kinds'
import type { Api } from './api/client.ts'
import { workspacePath } from './api/paths.ts'
import { ApiError } from './failure.ts'
import { showPosition, type ManifestObject } from './manifest/manifest.ts'

/** Sends manifests to the control plane, objects without a project with that of -p; what it finds wrong with an object is told at the object's file and line. */
export async function applyObjects(
  api: Api,
  objects: ManifestObject[],
  { dryRun = false, prune }: { dryRun?: boolean; prune?: string | undefined } = {},
): Promise<ApplyResponse> {
  try {
    const { body } = await api.call('POST', `${workspacePath(api.settings)}/apply`, {
      schema: ApplyResponse,
      query: dryRun ? { dryRun: true } : {},
      body: { objects: objects.map((object) => inProject(object, api.settings.project)), ...(prune ? { prune } : {}) },
    })
    return body
  } catch (error) {
    throw located(error, objects)
  }
}

function inProject({ kind, metadata, spec }: ManifestObject, project: string | undefined) {
  const isSilent = findKind(kind)?.scope === 'project' && metadata.project === undefined && project !== undefined
  return { kind, metadata: isSilent ? { ...metadata, project } : metadata, spec }
}

function located(error: unknown, objects: ManifestObject[]): unknown {
  if (!(error instanceof McpgError) || error.violations.length === 0) return error
  const { hint, cause, status } = error
  const violations = error.violations.map((violation) => locate(violation, objects))
  const again = new McpgError(error.code, error.reason, error.message, { ...(hint ? { hint } : {}), cause, status, violations })
  return new ApiError(again, error instanceof ApiError ? error.requestId : undefined)
}

/** `/objects/3/spec/env/0` → `servers.yaml:12:7: /spec/env/0 …` */
function locate({ pointer, detail }: Violation, objects: ManifestObject[]): Violation {
  const match = /^(?:\/body)?\/objects\/(\d+)(\/.*)?$/.exec(pointer)
  const object = objects[Number(match?.[1])]
  if (!match || !object) return { pointer, detail }
  const inner = match[2] ?? ''
  return {
    pointer: showPosition(object.locate(inner || '/metadata/name')),
    detail: `${object.kind.toLowerCase()}/${object.metadata.name} ${inner} ${detail}`.replace(/ +/g, ' '),
  }
}

export const isChange = ({ result }: ApplyResult): boolean => result !== 'unchanged'
