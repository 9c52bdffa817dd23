import { useMutation } from '@tanstack/react-query'
import { postJson } from '../../lib/api.ts'
import type { PromptRequestView } from '../../lib/objects/prompt.ts'
import { workspacePath } from '../../lib/paths.ts'
import { useScope } from '../../lib/scope.ts'

export type Verdict = { approve: true } | { approve: false; reason: string }

/** Approves or rejects what the page shows, and nothing that came after it. What it did comes by the stream. */
export function useReview({ project, name, resourceVersion }: PromptRequestView) {
  const { org, workspace } = useScope()
  return useMutation({
    mutationFn: (verdict: Verdict) => {
      const path = `${workspacePath({ org, workspace })}/projects/${encodeURIComponent(project)}/promptrequests/${encodeURIComponent(name)}`
      return verdict.approve
        ? postJson(`${path}/approve`, { resourceVersion })
        : postJson(`${path}/reject`, { resourceVersion, reason: verdict.reason })
    },
  })
}
