import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import type { OperationEvent } from '@mcpg/proto/rest/operations'
import { closeLater } from '../harness/cleanup.ts'
import { talk } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { eventsIn, place } from './managed.ts'

export type CuttingProxy = { url: string; cuts(): number }

/** One hop before a control plane, which cuts every stream of server-sent events after its first event and lets everything else through. */
export async function cuttingProxy(target: string): Promise<CuttingProxy> {
  const { hostname, port, host } = new URL(target)
  const open = new Set<Socket>()
  let cuts = 0
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname)
    let stream: string | null = null
    // The control plane takes requests for its own address only.
    client.on('data', (chunk: Buffer) => {
      const own = `127.0.0.1:${client.localPort}`
      upstream.write(Buffer.from(chunk.toString('latin1').replace(`host: ${own}`, `host: ${host}`), 'latin1'))
    })
    client.on('end', () => upstream.end())
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(one)
      one
        .on('error', () => other.destroy())
        .on('close', () => {
          open.delete(one)
          other.destroy()
        })
    }
    upstream.on('end', () => client.end())
    upstream.on('data', (chunk: Buffer) => {
      const text = chunk.toString('latin1')
      if (stream === null && !/^content-type: text\/event-stream/im.test(text)) return void client.write(chunk)
      const before = stream?.length ?? 0
      stream = (stream ?? '') + text
      const event = /\ndata: [^\n]*\n\n/.exec(stream)
      if (!event) return void client.write(chunk)
      cuts++
      upstream.removeAllListeners('data')
      upstream.pause()
      client.end(chunk.subarray(0, event.index + event[0].length - before), () => upstream.destroy())
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closeLater(() => {
    for (const socket of open) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, cuts: () => cuts }
}

/** Follows an operation as an EventSource does, by Last-Event-ID after each cut, up to the 204. */
export async function resume(base: string, operationId: string): Promise<{ events: OperationEvent[]; connections: number }> {
  const events: OperationEvent[] = []
  for (let connections = 1; ; connections++) {
    const last = events.at(-1)?.seq
    const response = await fetch(`${base}/v1/operations/${operationId}/events`, {
      headers: { ...(last !== undefined && { 'last-event-id': String(last) }) },
    })
    if (response.status === 204) return { events, connections }
    if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`)
    let text = ''
    try {
      const decoder = new TextDecoder()
      for await (const chunk of response.body ?? []) text += decoder.decode(chunk as Uint8Array, { stream: true })
    } catch {
      // Cut.
    }
    events.push(...eventsIn(text))
    if (connections > 3 * events.length + 10) throw new Error(`${connections} connections brought ${events.length} events`)
  }
}

/** What is wrong with the numbers of events that somebody has seen; empty for every one once and in order. */
export const wrongOrder = (events: { seq: number }[], total: number): string[] =>
  events.length === total && events.every(({ seq }, index) => seq === index + 1)
    ? []
    : [`saw ${events.map(({ seq }) => seq).join(' ')} of ${total}`]

/** `provision create` over the proxy, with what it has shown as events. */
export function createOver({ url }: CuttingProxy, stateDir: string, more: string[] = []) {
  const talking = talk(['provision', 'create', ...place, '--name', 'edge-1', '-o', 'ndjson', ...more], {
    stateDir,
    env: { MCPG_CP_URL: url },
  })
  return {
    ...talking,
    seen: async () => {
      const { code, stdout, stderr } = await talking.finished
      const events = stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => JSON.parse(line) as OperationEvent)
      return { code, events, stderr }
    },
    begun: () => until('it shows an event', () => /"seq":\d+/.test(talking.said())),
  }
}
