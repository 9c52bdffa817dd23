import { Button, NativeSelect, Radio, TextInput } from '@mantine/core'
import type { Tenancy } from '@mcpg/proto/rest/tenancy'
import type { CreatedEnrollment } from '@mcpg/proto/rest/enrollments'
import { useMutation, useQuery } from '@tanstack/react-query'
import { useState, type FormEvent } from 'react'
import { Card } from '../../components/card.tsx'
import { Note } from '../../components/note.tsx'
import { ProblemNote } from '../../components/problem-note.tsx'
import { PageStack } from '../../components/stack.tsx'
import { getJson, postJson, violationOf } from '../../lib/api.ts'
import { enrollmentsPath, workspacePath } from '../../lib/paths.ts'
import { useScope } from '../../lib/scope.ts'
import { parseLabels, splitList } from '../../lib/label-text.ts'
import styles from './options-form.module.css'

/** What the command looks like: in a terminal until Ctrl-C, or in the background with a log file. */
export type Choice = { mode: 'terminal' | 'background'; name: string }

type Options = Choice & { environment: string; labels: string; ttl: string; maxUses: string; expectedInstanceUid: string; cidrs: string }

const modes = [
  { value: 'terminal', label: 'In a terminal', text: 'Runs until Ctrl-C. The best way to see what it does.' },
  { value: 'background', label: 'In the background', text: 'Returns when it is ready and writes a log file.' },
] as const

export function OptionsForm({ onIssued }: { onIssued: (created: CreatedEnrollment, choice: Choice) => void }) {
  const { org, workspace, environment } = useScope()
  const [options, setOptions] = useState<Options>({
    mode: 'terminal',
    name: '',
    environment: environment ?? 'default',
    labels: '',
    ttl: '15m',
    maxUses: '1',
    expectedInstanceUid: '',
    cidrs: '',
  })
  const set = (part: Partial<Options>) => setOptions((before) => ({ ...before, ...part }))
  const environments = useQuery({
    queryKey: ['names', `${workspacePath({ org, workspace })}/environments`],
    queryFn: ({ signal }) => getJson<{ items?: Tenancy[] }>(`${workspacePath({ org, workspace })}/environments?limit=500`, signal),
  })
  const names = (environments.data?.items ?? []).map((one) => one.name)
  const { mutate, isPending, error } = useMutation({
    mutationFn: () => postJson<CreatedEnrollment>(enrollmentsPath({ org, workspace }, options.environment), bodyOf(options)),
    onSuccess: (created) => onIssued(created, { mode: options.mode, name: options.name.trim() }),
  })
  const submit = (event: FormEvent) => {
    event.preventDefault()
    mutate()
  }
  const wrong = (field: string) => violationOf(error, field)
  const isSingle = options.maxUses.trim() === '1' || options.maxUses.trim() === ''
  return (
    <form onSubmit={submit}>
      <PageStack>
        <Card title="Where">
          <Radio.Group value={options.mode} onChange={(mode) => set({ mode: mode as Options['mode'] })} aria-label="Where">
            <div className={styles.modes}>
              {modes.map(({ value, label, text }) => (
                <Radio.Card key={value} value={value} className={styles.mode!} aria-label={label}>
                  <Radio.Indicator />
                  <span>
                    <b>{label}</b>
                    <small>{text}</small>
                  </span>
                </Radio.Card>
              ))}
            </div>
          </Radio.Group>
          <p className={styles.limits}>
            {isLoopback(location.hostname)
              ? 'You are on the machine of the control plane. A gateway on another host needs it to listen beyond loopback (serve --bind-http, --bind-grpc); the URL then holds a pin that the gateway checks before it says anything.'
              : `The gateway has to reach ${location.host} and the port for agents. Where the certificate is our own, the URL holds a pin that the gateway checks before it says anything.`}
          </p>
        </Card>
        <Card title="Options">
          <div className={styles.fields}>
            <TextInput
              label="Name"
              description="Of the gateway; none: from its machine"
              placeholder="edge-1"
              disabled={!isSingle}
              value={options.name}
              error={wrong('/name')}
              onChange={(event) => set({ name: event.currentTarget.value })}
            />
            <NativeSelect
              label="Environment"
              description={`Of ${org} / ${workspace}`}
              data={names.includes(options.environment) ? names : [options.environment, ...names]}
              value={options.environment}
              onChange={(event) => set({ environment: event.currentTarget.value })}
            />
            <TextInput
              label="Labels"
              description="What placement selects by"
              placeholder="role=edge, zone=a"
              value={options.labels}
              error={wrong('/labels')}
              onChange={(event) => set({ labels: event.currentTarget.value })}
            />
            <NativeSelect
              label="Expires after"
              description="At most 24 h"
              data={[
                { value: '5m', label: '5 minutes' },
                { value: '15m', label: '15 minutes' },
                { value: '1h', label: '1 hour' },
                { value: '24h', label: '24 hours' },
              ]}
              value={options.ttl}
              onChange={(event) => set({ ttl: event.currentTarget.value })}
            />
          </div>
          <details className={styles.more}>
            <summary>More options</summary>
            <div className={styles.fields}>
              <TextInput
                label="Uses"
                description="One gateway per use, at most 100"
                inputMode="numeric"
                value={options.maxUses}
                error={wrong('/maxUses')}
                onChange={(event) => set({ maxUses: event.currentTarget.value })}
              />
              <TextInput
                label="Expected instance uid"
                description="Only this installation may use it"
                disabled={!isSingle}
                value={options.expectedInstanceUid}
                error={wrong('/expectedInstanceUid')}
                onChange={(event) => set({ expectedInstanceUid: event.currentTarget.value })}
              />
              <TextInput
                label="Source CIDRs"
                description="Only from these addresses"
                placeholder="127.0.0.0/8"
                value={options.cidrs}
                error={wrong('/cidrs')}
                onChange={(event) => set({ cidrs: event.currentTarget.value })}
              />
            </div>
          </details>
        </Card>
        {Number(options.maxUses) > 1 && (
          <Note tone="amber" title={`Whoever has the URL can enroll up to ${options.maxUses} gateways until it expires`} />
        )}
        <ProblemNote error={error} />
        <div>
          <Button type="submit" loading={isPending}>
            Make the command
          </Button>
        </div>
      </PageStack>
    </form>
  )
}

const isLoopback = (host: string) => host === 'localhost' || host === '[::1]' || host.startsWith('127.')

/** Only what was filled in: the rest is the control plane's default. */
function bodyOf({ name, labels, ttl, maxUses, expectedInstanceUid, cidrs }: Options) {
  const uses = Number(maxUses.trim() || '1')
  const isSingle = uses === 1
  const parsed = parseLabels(labels)
  return {
    ttl,
    ...(isSingle ? {} : { maxUses: uses }),
    ...(isSingle && name.trim() ? { name: name.trim() } : {}),
    ...(Object.keys(parsed).length > 0 ? { labels: parsed } : {}),
    ...(isSingle && expectedInstanceUid.trim() ? { expectedInstanceUid: expectedInstanceUid.trim() } : {}),
    ...(splitList(cidrs).length > 0 ? { cidrs: splitList(cidrs) } : {}),
  }
}
