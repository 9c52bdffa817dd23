import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { testAuthority } from '@mcpg/core/test-authority'
import { openApi, type Api } from '../../cp/src/kubernetes/client/api.ts'
import type { ClusterCredentials } from '../../cp/src/kubernetes/client/credentials.ts'
import { shareWithFile, temporaryFolder } from '../harness/cleanup.ts'
import { freePort } from '../harness/free-port.ts'
import { until } from '../harness/until.ts'
import { binaries } from './binaries.ts'
import { daemon, type Daemon } from './daemons.ts'

export type Cluster = {
  folder: string
  server: string
  ca: string
  /** May do everything. */
  admin: Api
  adminCredentials: ClusterCredentials
  apiServer: Daemon
  /** Again, once it was stopped, for the rest of the file; resolves when it answers. */
  startApiServer: () => Promise<void>
  /** A kubeconfig file of a user of the token file. */
  kubeconfig: (user: 'admin' | 'node') => string
  /** A token as the API server signs them, with these claims beside its issuer. */
  signed: (claims: object) => string
}

export const nodeName = 'node-1'
const audience = 'https://kubernetes.default.svc'

/** A real API server with its etcd, controllers and scheduler, all on loopback and all gone after the test. */
export async function startCluster(): Promise<Cluster> {
  const folder = temporaryFolder()
  const [port, etcdPort, peerPort] = [await freePort(), await freePort(), await freePort()]
  const server = `https://127.0.0.1:${port}`
  const authority = await testAuthority('kubernetes')
  const { key, cert } = await authority.server(['127.0.0.1', 'localhost', 'kubernetes.default.svc', '10.96.0.1'])
  const signing = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const tokens = { admin: randomBytes(16).toString('hex'), node: randomBytes(16).toString('hex') }
  const file = (name: string, text: string) => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return path
  }
  const caFile = file('ca.crt', authority.pem)
  const signingKey = file('sa.key', signing.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  const verifyKey = file('sa.pub', signing.publicKey.export({ type: 'spki', format: 'pem' }) as string)
  const tokenFile = file('tokens.csv', `${tokens.admin},admin,1,system:masters\n${tokens.node},system:node:${nodeName},2,system:nodes\n`)
  const kubeconfig = (user: 'admin' | 'node') =>
    file(
      `${user}.kubeconfig`,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        clusters: [{ name: 'c', cluster: { server, 'certificate-authority': caFile } }],
        users: [{ name: user, user: { token: tokens[user] } }],
        contexts: [{ name: 'x', context: { cluster: 'c', user } }],
        'current-context': 'x',
      }),
    )
  mkdirSync(join(folder, 'etcd'), { mode: 0o700 })
  // By which the API server asks a kubelet, e.g. for the log of a pod.
  const [askerKey, request] = [join(folder, 'asker.key'), join(folder, 'asker.der')]
  const subject = ['-subj', '/O=system:masters/CN=kube-apiserver', '-outform', 'DER', '-out', request]
  execFileSync('openssl', ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', askerKey, ...subject], { stdio: 'ignore' })
  const asker = new X509Certificate(await authority.client(readFileSync(request)))

  const etcd = `http://127.0.0.1:${etcdPort}`
  const peer = `http://127.0.0.1:${peerPort}`
  // Debian's etcd does not know every platform that it runs on.
  daemon(
    folder,
    'etcd',
    'etcd',
    [
      ['--data-dir', 'etcd'],
      ['--listen-client-urls', etcd],
      ['--advertise-client-urls', etcd],
      ['--listen-peer-urls', peer],
      ['--initial-advertise-peer-urls', peer],
      ['--initial-cluster', `default=${peer}`],
    ].flat(),
    { ETCD_UNSUPPORTED_ARCH: 'arm64' },
  )
  const apiServerArgs = [
    `--etcd-servers=${etcd}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${port}`,
    `--tls-cert-file=${file('apiserver.crt', cert)}`,
    `--tls-private-key-file=${file('apiserver.key', key)}`,
    `--cert-dir=${folder}`,
    `--kubelet-client-certificate=${file('asker.crt', asker.toString())}`,
    `--kubelet-client-key=${askerKey}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--token-auth-file=${tokenFile}`,
    '--authorization-mode=Node,RBAC',
    '--service-cluster-ip-range=10.96.0.0/16',
    `--service-account-issuer=${server}`,
    `--service-account-key-file=${verifyKey}`,
    `--service-account-signing-key-file=${signingKey}`,
    `--api-audiences=${audience}`,
    '--enable-admission-plugins=NodeRestriction,ResourceQuota,LimitRanger',
    '--endpoint-reconciler-type=none',
    '--allow-privileged=true',
  ]
  const startDaemon = () => daemon(folder, 'apiserver', join(binaries, 'kube-apiserver'), apiServerArgs)
  const apiServer = startDaemon()
  const adminCredentials = { server, ca: authority.pem, user: { token: tokens.admin } }
  const admin = await openApi(adminCredentials)
  const answers = async (server: Daemon) => {
    await until(
      'the API server to be ready',
      async () => {
        if (!isAlive(server)) throw new Error(`the API server ended: ${server.log()}`)
        return (await admin.get<{ items: unknown[] }>('/api/v1/namespaces', { labelSelector: '' })).items.length > 0
      },
      120_000,
    )
  }
  await answers(apiServer)
  daemon(folder, 'controllers', join(binaries, 'kube-controller-manager'), [
    `--kubeconfig=${kubeconfig('admin')}`,
    `--service-account-private-key-file=${signingKey}`,
    `--root-ca-file=${caFile}`,
    '--use-service-account-credentials',
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--secure-port=0',
    '--port=0',
    '--concurrent-statefulset-syncs=5',
  ])
  daemon(folder, 'scheduler', join(binaries, 'kube-scheduler'), [
    `--kubeconfig=${kubeconfig('admin')}`,
    '--leader-elect=false',
    '--bind-address=127.0.0.1',
    '--secure-port=0',
    '--port=0',
  ])
  // Made by a controller, so both are at work.
  await until('the controllers', async () => (await admin.get('/api/v1/namespaces/default/serviceaccounts/default')) !== null, 60_000)
  const startApiServer = () => shareWithFile(() => answers(startDaemon()))
  return { folder, server, ca: authority.pem, admin, adminCredentials, apiServer, startApiServer, kubeconfig, signed }

  function signed(claims: object): string {
    const parts = [
      { alg: 'RS256', typ: 'JWT' },
      { iss: server, aud: [audience], ...claims },
    ]
    const text = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    return `${text}.${sign('sha256', Buffer.from(text), signing.privateKey).toString('base64url')}`
  }
}

function isAlive({ pid }: Daemon): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
