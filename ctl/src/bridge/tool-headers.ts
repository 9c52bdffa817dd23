import { headerValue, type Message } from './messages.ts'

type Tool = { name?: unknown; inputSchema?: { properties?: Record<string, Record<string, unknown>> } }

/** Parameters of tools that a modern call repeats as `Mcp-Param-…`, learned from the lists that pass. */
export function toolHeaders() {
  const known = new Map<string, [parameter: string, header: string][]>()
  return { learn, headersOf }

  function learn({ result }: Message): void {
    const { tools } = (result ?? {}) as { tools?: Tool[] }
    for (const { name, inputSchema } of Array.isArray(tools) ? tools : []) {
      const annotated = Object.entries(inputSchema?.properties ?? {}).flatMap(([parameter, schema]): [string, string][] =>
        typeof schema?.['x-mcp-header'] === 'string' ? [[parameter, schema['x-mcp-header']]] : [],
      )
      if (typeof name === 'string') known.set(name, annotated)
    }
  }

  function headersOf({ method, params }: Message): Record<string, string> {
    if (method !== 'tools/call') return {}
    const given = (params?.['arguments'] ?? {}) as Record<string, unknown>
    const pairs = (known.get(String(params?.['name'])) ?? []).filter(([parameter]) =>
      /^(string|number|boolean)$/.test(typeof given[parameter]),
    )
    return Object.fromEntries(
      pairs.map(([parameter, header]) => [`mcp-param-${header.toLowerCase()}`, headerValue(String(given[parameter]))]),
    )
  }
}
