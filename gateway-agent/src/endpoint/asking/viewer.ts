import type { Params } from '../../mcp/protocol.ts'
import type { Lease, RoutedServer } from '../../servers/supervision.ts'

/** A client to whom servers may show more than to others, because it can be asked. */
export type Viewer = {
  declared: Params
  /** The process of its own in which a server shows it. */
  lease(server: RoutedServer): Promise<Lease | { unavailable: string }>
}
