import { Button, Textarea } from '@mantine/core'
import { useState } from 'react'
import { Card } from '../../components/card.tsx'
import { CodeBlock } from '../../components/code-block.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { Facts } from '../../components/facts.tsx'
import type { PromptRequestView } from '../../lib/objects/prompt.ts'
import { useReview } from './use-review.ts'

/** What is proposed for a project; a look at one of them leads to the verdict. */
export function PromptRequests({ project, requests }: { project: string; requests: PromptRequestView[] }) {
  const [chosen, setChosen] = useState<PromptRequestView | null>(null)
  const columns: Column<PromptRequestView>[] = [
    { key: 'name', header: 'Name', cell: (one) => one.name },
    { key: 'does', header: 'Would', cell: (one) => (one.replaces ? 'replace a prompt' : 'be a new prompt') },
    { key: 'reason', header: 'Reason', cell: (one) => one.reason || '–' },
    { key: 'state', header: 'State', cell: (one) => (one.isRejected ? `rejected: ${one.rejectedFor}` : 'open') },
    {
      key: 'review',
      header: 'Review',
      cell: (one) => (
        <Button variant="default" size="xs" onClick={() => setChosen(one)} aria-label={`Review ${one.name}`}>
          Review
        </Button>
      ),
    },
  ]
  return (
    <Card title="Proposed prompts" count={requests.filter((one) => !one.isRejected).length} isFlush>
      <DataTable
        isPlain
        caption="Proposed prompts"
        rows={requests}
        columns={columns}
        rowKey={(one) => `${project}/${one.name}`}
        empty={null}
      />
      {chosen && <Review request={chosen} onClose={() => setChosen(null)} />}
    </Card>
  )
}

function Review({ request, onClose }: { request: PromptRequestView; onClose: () => void }) {
  const { mutate, isPending, error } = useReview(request)
  const [reason, setReason] = useState('')
  const { name, project } = request
  return (
    <Dialog title={`Prompt ${name}, proposed for ${project}`} onClose={onClose}>
      <PageStack>
        <Facts
          facts={[
            ['Reason', request.reason],
            ['Description', request.description],
            ['Priority', String(request.priority)],
            ['Link', request.broken ? `${request.link}: ${request.broken}` : request.link],
          ]}
        />
        {request.content && <CodeBlock text={request.content} label="Content" />}
        <CodeBlock text={`mcpg-ctl approve promptrequest ${name} -p ${project}`} label="Approve by command" />
        <ProblemNote error={error} />
        <Textarea label="Why it is rejected" value={reason} onChange={(event) => setReason(event.currentTarget.value)} />
        <div>
          <Button
            variant="default"
            loading={isPending}
            disabled={reason.trim() === ''}
            onClick={() => mutate({ approve: false, reason: reason.trim() }, { onSuccess: onClose })}
          >
            Reject
          </Button>{' '}
          <Button loading={isPending} onClick={() => mutate({ approve: true }, { onSuccess: onClose })}>
            {request.replaces ? 'Approve and replace' : 'Approve'}
          </Button>
        </div>
      </PageStack>
    </Dialog>
  )
}
