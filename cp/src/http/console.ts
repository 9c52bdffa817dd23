import { readdir } from 'node:fs/promises'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply } from 'fastify'
import { McpgError } from '@mcpg/proto/errors'
import { pathOf } from './path-of.ts'

/** Paths that belong to the API: what is unknown below them is a problem document, never the console's page. */
const apiPath = /^\/(v1|enroll|healthz|readyz|metrics)(\/|$)/
/** Vite names these by their content. */
const immutablePath = /^\/assets\//

/** The console's files for every other path. What a browser opens and is no file is a page, also of an object whose name has dots. */
export async function serveConsole(app: FastifyInstance, folder: string | null, methodsOf: (path: string) => string[]): Promise<void> {
  if (folder) await app.register(fastifyStatic, { root: folder, serve: false, cacheControl: false, etag: true })
  app.setNotFoundHandler(async (request, reply) => {
    const path = pathOf(request)
    const methods = methodsOf(path)
    if (methods.length > 0) {
      reply.header('allow', methods.join(', '))
      throw new McpgError('unsupported', 'method_not_allowed', `${path} answers ${methods.join(', ')}, not ${request.method}.`)
    }
    if (apiPath.test(path) || (request.method !== 'GET' && request.method !== 'HEAD'))
      throw new McpgError('not_found', 'path_unknown', `There is nothing at ${request.method} ${path}.`, {
        hint: 'All paths: GET /v1/openapi.json',
      })
    if (!folder) throw new McpgError('not_found', 'console_missing', 'The console is not built.', { hint: 'npm run quickstart builds it.' })
    const isAsset = immutablePath.test(path)
    const isOpened = request.headers.accept?.includes('text/html') ?? false
    const mayBePage = !isAsset && (isOpened || !/\.[a-z0-9]+$/i.test(path))
    if (path === '/' || path === '/index.html') return sendIndex(reply, folder)
    if (!(await isFile(folder, path))) {
      if (mayBePage) return sendIndex(reply, folder)
      throw new McpgError('not_found', 'file_unknown', `The console has no file ${path}.`)
    }
    if (isAsset) reply.header('cache-control', 'public, max-age=31536000, immutable')
    return reply.sendFile(path)
  })
}

async function sendIndex(reply: FastifyReply, folder: string): Promise<FastifyReply> {
  if (!(await isFile(folder, '/index.html')))
    throw new McpgError('not_found', 'console_missing', 'The console is not built.', { hint: 'npm run quickstart builds it.' })
  return reply.header('cache-control', 'no-cache').sendFile('index.html')
}

/** By the names in the folder, so that no path from outside reaches the file system; a rebuilt console has new names. */
async function isFile(folder: string, path: string): Promise<boolean> {
  const names = await readdir(folder, { recursive: true }).catch(() => [])
  return names.some((name) => `/${name.replaceAll('\\', '/')}` === path)
}
