import { Button } from '@mantine/core'
import { useMutation } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { useNavigate, useParams } from 'react-router'
import { Card } from '../../components/card.tsx'
import { DataTable, type Column } from '../../components/data-table.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { EmptyState } from '../../components/empty-state.tsx'
import { ObjectPage } from '../../components/object-page.tsx'
import { PageHead } from '../../components/page-head.tsx'
import { Confirmation } from '../../components/form.tsx'
import { ShowCli } from '../../components/show-cli.tsx'
import { Since } from '../../components/since.tsx'
import { PageStack } from '../../components/stack.tsx'
import { deleteObject } from '../../lib/api.ts'
import { useObjects } from '../../lib/live/use-objects.ts'
import { secretView, type SecretView } from '../../lib/objects/secret.ts'
import { objectPath } from '../../lib/paths.ts'
import { useMay } from '../../lib/rights.ts'
import { useHref, useScope } from '../../lib/scope.ts'
import { Reveal } from './reveal.tsx'
import { SecretForm } from './secret-form.tsx'

/** One secret: its keys with their versions, who uses them, and what may be done with the values. */
export function Secret() {
  const { name = '' } = useParams()
  const { items, error } = useObjects('Secret', secretView)
  const secret = items?.find((one) => one.name === name)
  return (
    <ObjectPage
      title={name}
      parent={parent}
      one={secret}
      items={items}
      error={error}
      missing={`There is no secret ${name}`}
      gone={
        <>
          It may have been deleted. <code>mcpg-ctl get secrets</code> lists what there is.
        </>
      }
    >
      {(secret) => <SecretPage key={name} secret={secret} />}
    </ObjectPage>
  )
}

const parent = { label: 'Secrets', path: '/secrets' }

type Open = { what: 'add' } | { what: 'rotate' | 'reveal'; key: string } | { what: 'delete' }

function SecretPage({ secret }: { secret: SecretView }) {
  const href = useHref()
  const { name } = secret
  const [open, setOpen] = useState<Open | null>(null)
  const close = () => setOpen(null)
  const scope = useScope()
  const mayEdit = useMay({ verb: 'edit', kind: 'secrets', name }, scope)
  const mayDelete = useMay({ verb: 'delete', kind: 'secrets', name }, scope)
  const mayReveal = useMay({ operation: 'reveal-secrets' }, scope)
  const keys = useMemo(() => keyColumns(setOpen, { mayEdit, mayReveal }), [mayEdit, mayReveal])
  return (
    <>
      <PageHead
        title={name}
        parent={parent}
        actions={
          <>
            <ShowCli
              commands={[
                { what: 'Describe', command: `mcpg-ctl describe secret/${name}` },
                { what: 'As YAML', command: `mcpg-ctl get secret ${name} -o yaml` },
                ...(mayReveal ? [{ what: 'Show a value', command: `mcpg-ctl secret reveal ${name} --key <key>` }] : []),
              ]}
            />
            {mayEdit && (
              <Button variant="default" onClick={() => setOpen({ what: 'add' })}>
                Add a key
              </Button>
            )}
            {mayDelete && (
              <Button variant="default" onClick={() => setOpen({ what: 'delete' })}>
                Delete…
              </Button>
            )}
          </>
        }
      />
      <PageStack>
        <Card title="Keys" count={secret.keys.length} isFlush>
          <DataTable
            isPlain
            caption="Keys"
            rows={secret.keys}
            columns={keys}
            rowKey={(one) => one.key}
            empty={<EmptyState title="No key" />}
          />
        </Card>
        <Card title="Used by" count={secret.usedBy.length} isFlush>
          <DataTable
            isPlain
            caption="Used by"
            rows={secret.usedBy}
            columns={userColumns}
            rowKey={(one) => `${one.kind}/${one.name}`}
            rowHref={(one) => href(`/servers/${encodeURIComponent(one.name)}`)}
            empty={<EmptyState title="No server uses it">A variable or a header of a server names it by valueFrom.secretRef.</EmptyState>}
          />
        </Card>
      </PageStack>
      {open?.what === 'add' && (
        <Dialog title={`Add a key to ${name}`} onClose={close}>
          <SecretForm secret={name} onDone={close} />
        </Dialog>
      )}
      {open?.what === 'rotate' && (
        <Dialog title={`Rotate ${open.key}`} onClose={close}>
          <SecretForm secret={name} fixedKey={open.key} onDone={close} />
        </Dialog>
      )}
      {open?.what === 'reveal' && (
        <Dialog title={`Show ${open.key}`} onClose={close}>
          <Reveal secret={name} keyName={open.key} />
        </Dialog>
      )}
      {open?.what === 'delete' && (
        <Dialog title={`Delete ${name}`} onClose={close}>
          <Deletion secret={name} onClose={close} />
        </Dialog>
      )}
    </>
  )
}

/** What is still used is refused by the control plane, which names the users. */
function Deletion({ secret, onClose }: { secret: string; onClose: () => void }) {
  const scope = useScope()
  const href = useHref()
  const navigate = useNavigate()
  const doing = useMutation({
    mutationFn: () => deleteObject(objectPath(scope, 'secrets', secret)),
    onSuccess: () => navigate(href('/secrets')),
  })
  return (
    <Confirmation doing={doing} action="Delete it" onKeep={onClose}>
      <p>Its values are gone then. A server that uses it keeps it from being deleted.</p>
    </Confirmation>
  )
}

type Key = SecretView['keys'][number]

function keyColumns(open: (what: Open) => void, { mayEdit, mayReveal }: { mayEdit: boolean; mayReveal: boolean }): Column<Key>[] {
  return [
    { key: 'key', header: 'Key', cell: (one) => one.key },
    { key: 'version', header: 'Version', align: 'right', cell: (one) => one.version || '–' },
    { key: 'changed', header: 'Changed', cell: (one) => (one.updatedAt ? <Since at={one.updatedAt} /> : '–') },
    {
      key: 'action',
      header: '',
      align: 'right',
      cell: ({ key }) => (
        <>
          {mayEdit && (
            <Button variant="default" size="compact-xs" aria-label={`Rotate ${key}`} onClick={() => open({ what: 'rotate', key })}>
              Rotate…
            </Button>
          )}{' '}
          {mayReveal && (
            <Button variant="default" size="compact-xs" aria-label={`Show ${key}`} onClick={() => open({ what: 'reveal', key })}>
              Show…
            </Button>
          )}
        </>
      ),
    },
  ]
}

const userColumns: Column<SecretView['usedBy'][number]>[] = [
  { key: 'name', header: 'Server', cell: (one) => one.name },
  { key: 'keys', header: 'Keys', cell: (one) => one.keys.join(', ') },
]
