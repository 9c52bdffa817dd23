import { McpgError, type Violation } from '@mcpg/proto/errors'
import { parseDocument } from 'yaml'

/** How a cluster is reached: everything in it, nothing in files and no program that has to be asked. */
export type ClusterCredentials = {
  server: string
  /** PEM; absent: the roots of this machine. */
  ca?: string
  tlsServerName?: string
  /** Namespace of the context, where one is set. */
  namespace?: string
  user: { token: string } | { certificate: string; key: string } | { username: string; password: string }
}

type Entry = Record<string, unknown>

/**
 * The current context of a kubeconfig, or the one that is named. Throws McpgError `invalid` with all that keeps it from being used:
 * programs to run, files that only the machine that wrote it has, a certificate that is not checked.
 */
export function credentialsOf(kubeconfig: string, contextName?: string): ClusterCredentials {
  const document = parseDocument(kubeconfig)
  const config = document.errors.length > 0 ? null : (document.toJS() as unknown)
  if (!isEntry(config)) throw invalid([['', 'it is not a kubeconfig: no YAML object']])
  const name = contextName ?? text(config['current-context'])
  if (!name) throw invalid([['/current-context', 'no context is current; name one with --context']])
  const contexts = list(config['contexts'])
  const context = named(contexts, name, 'context')
  if (!context) {
    const names = contexts.map((one) => text(one['name'])).filter((one) => one !== undefined)
    throw invalid([['/contexts', `there is no context ${name}${names.length > 0 ? `; there are: ${names.join(', ')}` : ''}`]])
  }
  const problems: [string, string][] = []
  const clusterName = text(context['cluster']) ?? ''
  const userName = text(context['user']) ?? ''
  const cluster = named(list(config['clusters']), clusterName, 'cluster')
  const user = named(list(config['users']), userName, 'user')
  if (!cluster) problems.push(['/clusters', `there is no cluster ${JSON.stringify(clusterName)}, which the context ${name} names`])
  if (!user) problems.push(['/users', `there is no user ${JSON.stringify(userName)}, which the context ${name} names`])
  const found = {
    ...(cluster ? readCluster(cluster, `/clusters/${clusterName}`, problems) : {}),
    ...(user ? readUser(user, `/users/${userName}`, problems) : {}),
  }
  if (problems.length > 0) throw invalid(problems)
  const namespace = text(context['namespace'])
  return { ...(found as ClusterCredentials), ...(namespace ? { namespace } : {}) }
}

/** The account of a service: what an API server is told by whoever may not have more. Throws McpgError `invalid`. */
export function accountCredentials({ server, ca, token }: { server: string; ca?: string; token: string }): ClusterCredentials {
  const problems: [string, string][] = []
  checkServer(server, '/server', problems)
  if (ca !== undefined) checkPem(ca, '/ca', problems)
  if (token.trim() === '') problems.push(['/token', 'it is empty'])
  if (problems.length > 0) throw invalid(problems)
  return { server, ...(ca === undefined ? {} : { ca }), user: { token: token.trim() } }
}

/** When a token ends, in milliseconds since 1970, as far as it says so itself. */
export function expiryOf(token: string): number | undefined {
  try {
    const { exp } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as { exp?: unknown }
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : undefined
  } catch {
    return undefined
  }
}

function readCluster(cluster: Entry, at: string, problems: [string, string][]): Partial<ClusterCredentials> {
  const server = text(cluster['server']) ?? ''
  checkServer(server, `${at}/server`, problems)
  if (cluster['insecure-skip-tls-verify'] === true)
    problems.push([
      `${at}/insecure-skip-tls-verify`,
      'the certificate of the API server must be checked; put its authority into certificate-authority-data',
    ])
  refuseFile(cluster, 'certificate-authority', at, problems)
  if (text(cluster['proxy-url']))
    problems.push([`${at}/proxy-url`, 'a proxy is not used; give the control plane a direct way to the API server'])
  const ca = decoded(cluster, 'certificate-authority-data', at, problems)
  const tlsServerName = text(cluster['tls-server-name'])
  return { server, ...(ca === undefined ? {} : { ca }), ...(tlsServerName ? { tlsServerName } : {}) }
}

function readUser(user: Entry, at: string, problems: [string, string][]): Partial<ClusterCredentials> {
  for (const field of ['exec', 'auth-provider'])
    if (user[field] !== undefined)
      problems.push([
        `${at}/${field}`,
        'it would run a program on the control plane; use the token of a service account instead (mcpg-ctl cluster register --server --ca-file --token-file)',
      ])
  for (const field of ['tokenFile', 'client-certificate', 'client-key']) refuseFile(user, field, at, problems)
  for (const field of ['as', 'as-uid', 'as-groups'])
    if (user[field] !== undefined)
      problems.push([`${at}/${field}`, 'impersonation is not used; give the credentials of the account itself'])
  const token = text(user['token'])
  const certificate = decoded(user, 'client-certificate-data', at, problems)
  const key = decoded(user, 'client-key-data', at, problems)
  const username = text(user['username'])
  const password = text(user['password'])
  if (token) return { user: { token } }
  if (certificate !== undefined && key !== undefined) return { user: { certificate, key } }
  if (username && password) return { user: { username, password } }
  if (!problems.some(([pointer]) => pointer.startsWith(at)))
    problems.push([at, 'it has no token, no client-certificate-data with client-key-data, and no username with password'])
  return {}
}

/** `kubectl config view --flatten --raw` writes the contents of files in their place. */
function refuseFile(entry: Entry, field: string, at: string, problems: [string, string][]): void {
  const path = text(entry[field])
  if (path)
    problems.push([
      `${at}/${field}`,
      `${path} is a file that the control plane does not read; put its content in its place with: kubectl config view --flatten --raw`,
    ])
}

function decoded(entry: Entry, field: string, at: string, problems: [string, string][]): string | undefined {
  const value = text(entry[field])
  if (value === undefined) return undefined
  const pem = Buffer.from(value, 'base64').toString('utf8')
  checkPem(pem, `${at}/${field}`, problems)
  return pem
}

function checkPem(pem: string, pointer: string, problems: [string, string][]): void {
  if (!/-----BEGIN [A-Z ]+-----[\s\S]+-----END [A-Z ]+-----/.test(pem)) problems.push([pointer, 'it holds no PEM'])
}

function checkServer(server: string, pointer: string, problems: [string, string][]): void {
  const url = URL.parse(server)
  if (!url) problems.push([pointer, `${JSON.stringify(server)} is not a URL, e.g. https://10.0.0.1:6443`])
  else if (url.protocol !== 'https:') problems.push([pointer, 'an API server is reached by https:// only'])
  else if (url.username || url.password) problems.push([pointer, 'a URL must hold no user name and no password'])
}

const isEntry = (value: unknown): value is Entry => typeof value === 'object' && value !== null && !Array.isArray(value)
const list = (value: unknown): Entry[] => (Array.isArray(value) ? value.filter(isEntry) : [])
const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined)

function named(entries: Entry[], name: string, field: string): Entry | undefined {
  const found = entries.find((entry) => entry['name'] === name)?.[field]
  return isEntry(found) ? found : undefined
}

function invalid(problems: [string, string][]): McpgError {
  const violations: Violation[] = problems.map(([pointer, detail]) => ({ pointer, detail }))
  return new McpgError(
    'invalid',
    'invalid_cluster_credentials',
    `The credentials of the cluster cannot be used: ${problems.map(([pointer, detail]) => `${pointer || 'the kubeconfig'}: ${detail}`).join('; ')}.`,
    { violations, hint: 'kubectl config view --flatten --minify --raw' },
  )
}
