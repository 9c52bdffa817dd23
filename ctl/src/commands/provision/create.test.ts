import { beforeEach, expect, test } from 'vitest'
import { ctl } from '../../../test/env.ts'
import { fakeRest } from '../../../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
})
const place = ['--org', 'acme', '--workspace', 'shop', '--env', 'live']
const create = (...flags: string[]) => ctl(['provision', 'create', ...place, '--name', 'edge', ...flags], { variables: rest.variables })
/** What was asked of the control plane; this one makes no gateways. */
const asked = () => rest.seen.filter(({ method }) => method === 'POST').map(({ path, body }) => ({ path, body }))

test('every flag that says what a gateway is arrives as what it is called', async () => {
  const path = '/v1/orgs/acme/workspaces/shop/environments/live/gateways'
  await create()
  const defaults = { name: 'edge', imageTag: 'latest', replicas: 1, size: 's', strategy: 'binpack' }
  expect(asked()).toEqual([{ path, body: defaults }])
  const digest = `1.2@sha256:${'0'.repeat(64)}`
  const what = ['--image-tag', digest, '--replicas', '2', '--max-replicas', '5', '--size', 'l', '--custom-hostname', 'mcp.example.com']
  const where = ['--region', 'eu', '--isolation-tier', 'sandboxed', '--allow-higher-tier', '--cluster-selector', 'disk=ssd']
  await create(...what, ...where, '--strategy', 'spread', '--timeout', '90s')
  expect(asked().at(-1)?.body).toEqual({
    name: 'edge',
    imageTag: digest,
    replicas: 2,
    maxReplicas: 5,
    size: 'l',
    customHostname: 'mcp.example.com',
    region: 'eu',
    isolationTier: 'sandboxed',
    allowHigherTier: true,
    clusterSelector: 'disk=ssd',
    strategy: 'spread',
  })
})

test('a flag that cannot be right is refused before anything begins', async () => {
  for (const wrong of [
    ['--timeout', 'soon'],
    ['--size', 'xl'],
    ['--max-replicas', 'many'],
    ['--isolation-tier', 'high'],
  ])
    expect([wrong, (await create(...wrong)).code]).toEqual([wrong, 2])
  expect(asked()).toEqual([])
})
