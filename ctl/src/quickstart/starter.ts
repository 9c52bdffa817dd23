/** What an empty workspace gets: one real MCP server from npm. The same as `examples/quickstart.yaml`. */
export const starterServer = {
  kind: 'Server',
  metadata: { name: 'everything' },
  spec: { package: { runtime: 'node', name: '@modelcontextprotocol/server-everything' } },
} as const
