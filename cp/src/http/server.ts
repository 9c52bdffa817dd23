import type { RequestListener, Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import Fastify, { type FastifyInstance } from 'fastify'
import { serializerCompiler, validatorCompiler, type FastifyPluginAsyncZod, type ZodTypeProvider } from 'fastify-type-provider-zod'
import { z } from 'zod'
import type { Part } from '@mcpg/core/lifecycle'
import type { Log } from '@mcpg/core/log'
import { McpgError } from '@mcpg/proto/errors'
import type { Denial } from '../audit/denials.ts'
import { requireAccess, type SignIn } from './access-rules.ts'
import { logRequests } from './access-log.ts'
import { serveConsole } from './console.ts'
import { tellDenials } from './denials.ts'
import { guard } from './guard.ts'
import { knownMethods } from './known-methods.ts'
import { emitOpenApi } from './openapi.ts'
import { listenFailure } from './listen-failure.ts'
import { sendProblem } from './problems.ts'
import { newRequestId } from './request-id.ts'
import { securityHeaders } from './security-headers.ts'
import { inWords } from './violation-words.ts'
import type { ServerCertificate } from '@mcpg/core/server-certificate'
import { httpsOnly, onlyTls } from '@mcpg/core/only-tls'
import { advertisedHost } from '@mcpg/core/machine-names'

export type HttpSettings = {
  host: string
  port: number
  /** Only TLS; false: plaintext. */
  tls: boolean
  allowedHosts: string[]
  allowedOrigins: string[]
  /** Peers whose X-Forwarded-For is believed; none: the socket says who calls. */
  trustedProxies: string[]
  /** Folder of the built console; null: only the API is served. */
  consoleFolder: string | null
}

/** The certificate of the listener, and the names under which others reach it. */
export type HttpTls = { certificate: ServerCertificate; names: () => string[] }

export type HttpServer = Part & { app: FastifyInstance; inject: FastifyInstance['inject']; url(): string }

const maxBodyBytes = 1 << 20
/** Longer than the 60 s for which proxies keep idle connections. */
const keepAliveMs = 72_000
/** How long answers in flight may take once the listener is to close. */
const graceMs = 2_000

/**
 * The REST listener: guard, caller, access, then the routes of the features. With a certificate it speaks TLS and nothing else. Throws
 * when a route declares no access.
 */
export async function httpServer(
  settings: HttpSettings,
  log: Log,
  features: FastifyPluginAsyncZod[],
  { tls = null, signIn = null, denied = () => {} }: { tls?: HttpTls | null; signIn?: SignIn; denied?: (denial: Denial) => void } = {},
): Promise<HttpServer> {
  let dropSilent = () => {}
  z.config({ customError: inWords })
  const app = Fastify({
    ...(tls && { serverFactory: (handler: RequestListener) => secureServer(tls.certificate, handler) }),
    bodyLimit: maxBodyBytes,
    genReqId: newRequestId,
    requestIdHeader: false,
    // A name, or an enrollment token, of any length is one that is unknown, not another path; Node bounds the URL with its headers.
    routerOptions: { maxParamLength: 16_384 },
    trustProxy: settings.trustedProxies.length > 0 ? settings.trustedProxies : false,
    forceCloseConnections: 'idle',
    keepAliveTimeout: keepAliveMs,
  }).withTypeProvider<ZodTypeProvider>()
  app.setValidatorCompiler(validatorCompiler)
  app.setSerializerCompiler(serializerCompiler)
  acceptJson(app)
  // The other way round from `onlyTls`: a ClientHello is no HTTP method.
  app.server.on('clientError', (error: Error & { rawPacket?: Buffer }, socket) => {
    if (error.rawPacket?.[0] === 0x16)
      log.info({ source: (socket as Socket).remoteAddress }, 'a TLS client came to the plaintext port; use http there')
  })

  const port = () => (app.server.address() as AddressInfo | null)?.port
  logRequests(app, log)
  securityHeaders(app)
  const { allowedOrigins } = settings
  const scheme = tls ? 'https' : 'http'
  guard(app, () => {
    // Names of the certificate are ours by definition. While nothing listens only `inject` gets here; it names port 80.
    const allowedHosts = [...settings.allowedHosts, ...(tls?.names().map(bracketed) ?? [])]
    return { scheme, port: port() ?? (settings.port || 80), allowedHosts, allowedOrigins }
  })
  requireAccess(app, signIn)
  const answered = tellDenials(denied)
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, { log, answered }))
  await emitOpenApi(app)
  await serveConsole(app, settings.consoleFolder, knownMethods(app))
  for (const feature of features) await app.register(feature)
  await app.ready()

  return {
    name: 'http',
    app,
    inject: app.inject.bind(app) as FastifyInstance['inject'],
    url: () => `${scheme}://${bracketed(advertisedHost(settings.host))}:${port() ?? settings.port}`,
    async start() {
      await app.listen({ host: settings.host, port: settings.port }).catch((error: unknown) => {
        throw listenFailure(error, { flag: '--bind-http', host: settings.host, port: settings.port })
      })
    },
    async stop() {
      // A client that keeps its connection open, or a slow answer, must not keep the process alive.
      dropSilent()
      const impatience = setTimeout(() => app.server.closeAllConnections(), graceMs)
      await app.close().finally(() => clearTimeout(impatience))
    },
  }

  function secureServer(own: ServerCertificate, handler: RequestListener): Server {
    const context = () => ({ ...own.pair(), minVersion: 'TLSv1.2' as const })
    const server: HttpsServer = createHttpsServer({ ...context(), keepAliveTimeout: keepAliveMs }, handler)
    own.onChange(() => server.setSecureContext(context()))
    dropSilent = onlyTls(server, httpsOnly, (source) => log.info({ source }, 'a plaintext request to the HTTPS port was refused'))
    // Fastify asks of a server what both kinds have.
    return server as unknown as Server
  }
}

const bracketed = (host: string): string => (host.includes(':') ? `[${host}]` : host)

/** An empty body is no body, also where a client names its type; `__proto__` in a body is an error. */
function acceptJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser(['application/json', 'application/merge-patch+json'], { parseAs: 'string' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined)
    void parse(request, body as string, (error, value) =>
      done(error ? new McpgError('invalid', 'malformed_json', `The body is not JSON: ${error.message}`) : null, value),
    )
  })
}
