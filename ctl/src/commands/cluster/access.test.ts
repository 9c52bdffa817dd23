import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { readAccess } from './access.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcpg-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
})
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}

test('access is what the flags say, else the kubeconfig of the person, else nothing', async () => {
  const [config, token, ca] = [file('config', 'kind: Config'), file('token', 't\n'), file('ca', 'pem')]
  const server = 'https://10.0.0.1:6443'
  expect(
    await readAccess({ server, tokenFile: token, caFile: ca, storageClass: 'fast', namespace: 'tools', egress: ['10.0.0.0/8'] }, {}),
  ).toEqual({
    kubernetes: { server, token: 't', ca: 'pem', workloads: { namespace: 'tools', storageClass: 'fast', egress: ['10.0.0.0/8'] } },
  })
  const own = { kubernetes: { kubeconfig: 'kind: Config', context: 'prod' } }
  expect(await readAccess({ kubeconfig: config, context: 'prod', egress: [] }, {})).toEqual(own)
  expect(await readAccess({ context: 'prod', egress: [] }, { KUBECONFIG: config })).toEqual(own)
  expect(await readAccess({ egress: [] }, { HOME: folder })).toEqual({})
})

test('flags that do not go together, and files that are not there, are named', async () => {
  const refused = async (flags: object, env = {}) =>
    await readAccess({ egress: [], ...flags }, env).catch((error: unknown) => String(error))
  expect(await refused({ server: 'https://x', kubeconfig: 'y' })).toContain('--server takes the place of --kubeconfig')
  expect(await refused({ server: 'https://x' })).toContain('--server needs --token-file')
  expect(await refused({ tokenFile: 'x' })).toContain('go with --server')
  expect(await refused({ kubeconfig: join(folder, 'none') })).toContain('cannot be read (ENOENT)')
  expect(await refused({ context: 'prod' }, { HOME: folder })).toContain('There is no kubeconfig at')
  expect(await refused({}, { KUBECONFIG: 'a:b' })).toContain('names several files')
})
