import { z } from 'zod'
import { Resource } from '../kinds/kind.ts'

/**
 * `GET /v1/watch?scope=<org>/<workspace>&kinds=Server,Gateway&since=<cursor>`, an SSE stream. The scope is a workspace with its projects,
 * one project (`<org>/<workspace>/proj/<project>`) or an organization without what is in its workspaces (`<org>`), and the kinds are those
 * that live there. `event:` is the type, `data:` this object,
 * `id:` an opaque cursor to be sent back as `since` or `Last-Event-ID`. MODIFIED is a change of metadata or spec, STATUS one of status.
 * Without a cursor the stream begins with ADDED for everything there is, then a BOOKMARK. EXPIRED: the cursor is too old, list again
 * (410 at connect). A BOOKMARK without an object comes every 15 s as a keep-alive.
 */
export const watchTypes = ['ADDED', 'MODIFIED', 'DELETED', 'STATUS', 'BOOKMARK', 'EXPIRED'] as const
export type WatchType = (typeof watchTypes)[number]

export const WatchEvent = z.object({ type: z.enum(watchTypes), object: Resource.optional() })
export type WatchEvent = z.infer<typeof WatchEvent>

export const WatchQuery = z.strictObject({
  scope: z
    .string()
    .regex(/^[-a-z0-9]+(\/[-a-z0-9]+(\/proj\/[-a-z0-9]+)?)?$/, 'must be <org>/<workspace>, <org>/<workspace>/proj/<project> or <org>'),
  kinds: z.string().optional(),
  since: z.string().max(2048).optional(),
})
