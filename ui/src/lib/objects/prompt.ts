import type { Resource } from '@mcpg/proto/kinds/kind'
import { promptOf, type PromptView } from './project.ts'
import { recordOf, textOf } from './reported.ts'

export type OwnPrompt = PromptView & { project: string }

export type PromptRequestView = OwnPrompt & {
  reason: string
  isRejected: boolean
  rejectedFor: string
  /** There is a prompt of this name, which it would replace. */
  replaces: boolean
  resourceVersion: string
}

/** A prompt that is an object of its own. */
export function promptView({ metadata, spec, status }: Resource): OwnPrompt {
  return { ...promptOf(metadata.name, spec, recordOf(recordOf(status)['link'])), project: metadata.project ?? '' }
}

export function promptRequestView(resource: Resource): PromptRequestView {
  const { metadata, spec } = resource
  const status = recordOf(resource.status)
  return {
    ...promptView(resource),
    reason: textOf(spec['reason']),
    isRejected: status['state'] === 'rejected',
    rejectedFor: textOf(status['rejectedFor']),
    replaces: status['replaces'] === true,
    resourceVersion: metadata.resourceVersion,
  }
}
