import type { CatalogEvent } from './catalog.ts'
import type { Target } from './target.ts'

/** Whether clients of this path are told that lists changed. */
export function concerns(event: Extract<CatalogEvent, { type: 'listChanged' | 'pathChanged' }>, target: Target): boolean {
  return event.type === 'pathChanged' ? target.path === event.path : target.covers(event.server)
}
