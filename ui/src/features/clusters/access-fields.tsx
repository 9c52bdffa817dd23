import { PasswordInput, Radio, Textarea, TextInput } from '@mantine/core'
import type { KubernetesWorkloads } from '@mcpg/proto/rest/clusters'
import type { AccessDraft } from './draft.ts'
import styles from './cluster-form.module.css'

type Fields = {
  access: AccessDraft
  onChange: (access: AccessDraft) => void
  wrong: (field: string) => string | undefined
  later: string
  isChange?: boolean
}

/** How the control plane reaches a cluster of Kubernetes. What is pasted leaves with the request and is not shown again. */
export function AccessFields({ access, onChange, wrong, later, isChange = false }: Fields) {
  const set = (part: Partial<AccessDraft>) => onChange({ ...access, ...part })
  return (
    <>
      <Radio.Group label="How it is reached" value={access.way} onChange={(way) => set({ way: way as AccessDraft['way'] })}>
        <div className={styles.ways}>
          <Radio value="kubeconfig" label="A kubeconfig" />
          <Radio value="account" label="URL and token of an account" />
          <Radio value="later" label={later} />
        </div>
      </Radio.Group>
      {access.way === 'kubeconfig' && (
        <>
          <Textarea
            label="Kubeconfig"
            description="All of the file. It is stored sealed; one that runs a program to sign in is refused"
            placeholder={'apiVersion: v1\nkind: Config\nclusters: …'}
            rows={8}
            spellCheck={false}
            classNames={{ input: styles.code! }}
            required
            value={access.kubeconfig}
            error={wrong('/kubernetes/kubeconfig') ?? wrong('/kubeconfig')}
            onChange={(event) => set({ kubeconfig: event.currentTarget.value })}
          />
          <TextInput
            label="Context"
            description="Empty: the current one of the file"
            value={access.context}
            error={wrong('/kubernetes/context')}
            onChange={(event) => set({ context: event.currentTarget.value })}
          />
        </>
      )}
      {access.way === 'account' && (
        <>
          <TextInput
            label="URL of its API server"
            placeholder="https://k8s.example.com:6443"
            required
            value={access.server}
            error={wrong('/kubernetes/server')}
            onChange={(event) => set({ server: event.currentTarget.value })}
          />
          <PasswordInput
            label="Token of the account"
            description="Stored sealed and never shown again"
            autoComplete="new-password"
            required
            value={access.token}
            error={wrong('/kubernetes/token')}
            onChange={(event) => set({ token: event.currentTarget.value })}
          />
          <Textarea
            label="Authority of its certificate"
            description="PEM; empty where it is one that everybody knows"
            placeholder="-----BEGIN CERTIFICATE-----"
            rows={4}
            spellCheck={false}
            classNames={{ input: styles.code! }}
            value={access.ca}
            error={wrong('/kubernetes/ca')}
            onChange={(event) => set({ ca: event.currentTarget.value })}
          />
        </>
      )}
      {access.way !== 'later' && <WorkloadFields access={access} onChange={onChange} wrong={wrong} isChange={isChange} />}
    </>
  )
}

const fields: { field: keyof KubernetesWorkloads; label: string; description: string }[] = [
  { field: 'namespace', label: 'Namespace', description: 'One that is there; empty: one for each workspace' },
  { field: 'image', label: 'Image of gateways', description: 'Without its tag; empty: that of the control plane' },
  { field: 'imagePullPolicy', label: 'When nodes fetch it', description: 'Always, IfNotPresent or Never' },
  { field: 'imagePullSecret', label: 'Secret to fetch it with', description: 'Of the namespace of the gateways' },
  { field: 'storageClass', label: 'Storage class', description: 'Empty: that of the cluster' },
  { field: 'ingressNamespace', label: 'Callers from the namespace', description: 'Beside those with the label for it' },
  { field: 'egress', label: 'Servers may call', description: 'Networks, such as 10.0.0.0/8; empty: all' },
  { field: 'ingressClass', label: 'Ingress class', description: 'Routes custom host names' },
  { field: 'certificateIssuer', label: 'Certificate issuer', description: 'A ClusterIssuer, with an Ingress' },
  { field: 'gatewayApi', label: 'Gateway API', description: '<namespace>/<name>, instead of an Ingress' },
  { field: 'runtimeClass', label: 'Runtime class', description: 'Of the tier sandboxed; empty: gvisor' },
]

function WorkloadFields({ access, onChange, wrong, isChange }: Omit<Fields, 'later'>) {
  const wrongs = fields.filter(({ field }) => wrong(`/kubernetes/workloads/${field}`))
  return (
    <details className={styles.more} open={wrongs.length > 0 || undefined}>
      <summary>How gateways run there</summary>
      {isChange && <p className={styles.aside}>All empty: as before. What is said here takes the place of all of it.</p>}
      <div className={styles.fields}>
        {fields.map(({ field, label, description }) => (
          <TextInput
            key={field}
            label={label}
            description={description}
            value={access.workloads[field] ?? ''}
            error={wrong(`/kubernetes/workloads/${field}`)}
            onChange={(event) => onChange({ ...access, workloads: { ...access.workloads, [field]: event.currentTarget.value } })}
          />
        ))}
      </div>
    </details>
  )
}
