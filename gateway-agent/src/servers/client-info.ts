import { version } from '@mcpg/proto/version'

/** How the gateway introduces itself to the servers it runs. */
export const clientInfo = { name: 'mcpg-gateway', version }
