import { McpgError } from '@mcpg/proto/errors'
import type { Resource, ResourceInput } from '@mcpg/proto/kinds/kind'
import { promptKind } from '@mcpg/proto/kinds/prompt'
import {
  promptRequestKind,
  rejection,
  type ApproveRequest,
  type PromptRequestSpec,
  type RejectRequest,
} from '@mcpg/proto/kinds/prompt-request'
import { unknownObject } from '../access/unknown-object.ts'
import { invalid } from '../http/problems.ts'
import type { ActionCall } from '../resources/extensions.ts'
import { refuseStale } from '../resources/if-match.ts'
import type { Resources } from '../resources/resources.ts'
import type { Scope } from '../resources/scope.ts'

/** Approves and rejects what was proposed. */
export function promptReviews({ resources }: { resources: Pick<Resources, 'addAction' | 'writeAll' | 'update'> }): void {
  resources.addAction<Scope>(promptRequestKind.kind, 'approve', approve)
  resources.addAction<Scope>(promptRequestKind.kind, 'reject', reject)

  /** The request goes and the prompt comes in one transaction; a prompt of that name becomes what was proposed. */
  async function approve({ caller, scope, resource, body }: ActionCall<Scope>): Promise<Resource> {
    const { name } = resource.metadata
    const { resourceVersion } = (body ?? {}) as ApproveRequest
    let proposed: Resource = resource
    const [, prompt] = await resources.writeAll(
      caller,
      [
        {
          declaration: promptRequestKind,
          scope,
          name,
          make: (current) => {
            if (!current) throw unknownObject(promptRequestKind, name)
            refuseUnread(current, resourceVersion)
            proposed = current
            return null
          },
        },
        {
          declaration: promptKind,
          scope,
          name,
          make: (current) => {
            // The route's own right is about the request; this one is about the prompt.
            const verb = current ? 'edit' : 'create'
            if (!caller.can({ verb, on: promptKind.plural }, scope, name))
              throw new McpgError('forbidden', 'not_allowed', `${caller.subject} may not ${verb} the prompt ${name}.`)
            return promptOf(proposed, current)
          },
        },
      ],
      { verb: 'approve' },
    )
    return prompt!
  }

  async function reject({ caller, scope, resource, body }: ActionCall<Scope>): Promise<void> {
    const { reason, resourceVersion } = (body ?? {}) as Partial<RejectRequest>
    if (reason === undefined) throw invalid([{ pointer: '/reason', detail: 'is missing: whoever asked should know why' }])
    await resources.update(caller, promptRequestKind, scope, resource.metadata.name, { verb: 'reject' }, (current) => {
      refuseUnread(current, resourceVersion)
      const { name, project, labels, annotations } = current.metadata
      return { metadata: { name, project, labels, annotations: { ...annotations, [rejection]: reason } }, spec: current.spec }
    })
  }
}

/** Nobody approves or rejects what they have not read. */
function refuseUnread({ metadata: { name, resourceVersion } }: Resource, read: string | undefined): void {
  if (read !== undefined) refuseStale({ name, resourceVersion: Number(resourceVersion) }, read)
}

function promptOf({ metadata, spec }: Resource, current: Resource | null): ResourceInput {
  const { reason: _, ...told } = spec as PromptRequestSpec
  const { [rejection]: _rejected, ...annotations } = metadata.annotations
  return {
    metadata: {
      name: metadata.name,
      project: metadata.project,
      labels: { ...current?.metadata.labels, ...metadata.labels },
      annotations: { ...current?.metadata.annotations, ...annotations },
    },
    spec: told,
  }
}
