import type { Cluster } from '@mcpg/proto/rest/clusters'
import { expect, it } from 'vitest'
import { amountsDraft, changeBody, emptyDraft, noAccess, registerBody, registerCommand } from './draft.ts'

it('sends what was filled in, in the units of the control plane, and shows it as a command without secrets', () => {
  const access = {
    ...noAccess,
    way: 'account' as const,
    server: ' https://k8s:6443 ',
    token: 'secret\n',
    workloads: { egress: '10.0.0.0/8 192.168.0.0/16', image: ' ' },
  }
  const draft = { ...emptyDraft, name: ' berlin ', region: 'eu', cpus: '1.5', gibibytes: '2', labels: 'disk=ssd', access }
  expect(registerBody(draft)).toEqual({
    name: 'berlin',
    region: 'eu',
    isolationTier: 'shared',
    driver: 'kubernetes',
    gatewaysMax: 40,
    cpuMillicoresTotal: 1500,
    memoryBytesTotal: 2 * 2 ** 30,
    labels: { disk: 'ssd' },
    kubernetes: { server: 'https://k8s:6443', token: 'secret', workloads: { egress: ['10.0.0.0/8', '192.168.0.0/16'] } },
  })
  expect(registerCommand(draft)).toBe(
    'mcpg-ctl cluster register --name berlin --region eu --gateways-max 40 --cpu-millicores-total 1500 --memory-bytes-total 2147483648 ' +
      '--label disk=ssd --server https://k8s:6443 --token-file <file> --egress 10.0.0.0/8 --egress 192.168.0.0/16',
  )
  expect(registerCommand(emptyDraft)).toBe(
    'mcpg-ctl cluster register --name <name> --region <region> --gateways-max 40 --kubeconfig <file>',
  )
  expect(registerBody({ ...draft, driver: 'local' })).not.toHaveProperty('kubernetes')
})

it('changes only what differs; a total that was emptied is left to the probes', () => {
  const cluster = {
    gateways: { max: 10 },
    totalsGiven: true,
    cpuMillicores: { total: 64_000 },
    memoryBytes: {},
    labels: { a: 'b' },
  } as unknown as Cluster
  const before = amountsDraft(cluster)
  expect(before).toEqual({ gatewaysMax: '10', cpus: '64', gibibytes: '', labels: 'a=b' })
  expect(changeBody(before, { ...before, access: noAccess })).toEqual({})
  expect(changeBody(before, { ...before, cpus: '', gatewaysMax: '20', labels: '', access: noAccess })).toEqual({
    cpuMillicoresTotal: null,
    gatewaysMax: 20,
    labels: {},
  })
  expect(amountsDraft({ ...cluster, totalsGiven: false }).cpus).toBe('')
})
