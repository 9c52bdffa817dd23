import type { Configuration, HttpMethod } from '@kubernetes/client-node'
import { expiryOf, type ClusterCredentials } from './credentials.ts'
import { explainTransport, explainStatus, type Asked } from './errors.ts'

/** Answers of an API server as it sends them. Every request ends within `timeoutMs`. */
export type Api = {
  get<T>(path: string, query?: Query): Promise<T>
  /** What is no JSON, such as a log. */
  text(path: string, query?: Query): Promise<string>
  post<T>(path: string, body: unknown, query?: Query): Promise<T>
  /** Server-side apply. */
  apply<T>(path: string, body: unknown, query: Query): Promise<T>
  delete<T>(path: string, body?: unknown): Promise<T>
}

type Query = Record<string, string>
type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export async function openApi(credentials: ClusterCredentials, { timeoutMs = 15_000 } = {}): Promise<Api> {
  const { KubeConfig } = await import('./library.ts')
  const config = new KubeConfig()
  const { server, ca, tlsServerName, user } = credentials
  config.loadFromClusterAndUser(
    {
      name: 'cluster',
      server: server.replace(/\/+$/, ''),
      skipTLSVerify: false,
      ...(ca === undefined ? {} : { caData: Buffer.from(ca).toString('base64') }),
      ...(tlsServerName === undefined ? {} : { tlsServerName }),
    },
    {
      name: 'user',
      ...('token' in user ? { token: user.token } : {}),
      ...('certificate' in user
        ? { certData: Buffer.from(user.certificate).toString('base64'), keyData: Buffer.from(user.key).toString('base64') }
        : {}),
      ...('username' in user ? { username: user.username, password: user.password } : {}),
    },
  )
  // Its own requests drop what it has no model of, and turn times into objects; its connections and its sign-in are what we use.
  const { baseServer, httpApi, authMethods } = config.makeApiClient(Connection).configuration
  return {
    get: (path, query) => json({ method: 'GET', path, query }),
    text: (path, query) => send({ method: 'GET', path, query, accept: '*/*' }),
    post: (path, body, query) => json({ method: 'POST', path, query, body, type: 'application/json' }),
    apply: (path, body, query) => json({ method: 'PATCH', path, query, body, type: 'application/apply-patch+yaml' }),
    delete: (path, body) => json({ method: 'DELETE', path, body, type: 'application/json' }),
  }

  async function json<T>(request: Request): Promise<T> {
    return JSON.parse(await send(request)) as T
  }

  async function send({ method, path, query = {}, body, type, accept = 'application/json' }: Request): Promise<string> {
    const asked: Asked = { server, method, path }
    const context = baseServer.makeRequestContext(path, method as HttpMethod)
    for (const [name, value] of Object.entries(query)) context.setQueryParam(name, value)
    context.setHeaderParam('Accept', accept)
    if (body !== undefined) {
      context.setHeaderParam('Content-Type', type ?? 'application/json')
      context.setBody(JSON.stringify(body))
    }
    context.setSignal(AbortSignal.timeout(timeoutMs))
    let status: number
    let answer: string
    try {
      await authMethods.default?.applySecurityAuthentication(context)
      const response = await httpApi.send(context).toPromise()
      status = response.httpStatusCode
      answer = await response.body.text()
    } catch (error) {
      throw explainTransport(asked, error, timeoutMs)
    }
    if (status < 200 || status > 299) throw explainStatus(asked, status, answer, 'token' in user ? expiryOf(user.token) : undefined)
    return answer
  }
}

class Connection {
  readonly configuration: Configuration

  constructor(configuration: Configuration) {
    this.configuration = configuration
  }
}

type Request = { method: Method; path: string; query?: Query | undefined; body?: unknown; type?: string; accept?: string }
