import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes, randomInt } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { aptInstall } from '../apt.ts'
import { closeLater, temporaryFolder } from './cleanup.ts'

/** A network namespace: what a machine is to the network. `within` starts a program in it. */
export type Machine = { address: string; within: string[] }

/** Why there can be no two machines here; null where there can. */
export function whyNoMachines(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are of Linux'
  if (process.getuid?.() !== 0) return 'network namespaces need root'
  try {
    if (spawnSync('ip', ['-V']).error) aptInstall('iproute2')
    ip('netns', 'list')
    return null
  } catch (error) {
    return String(error)
  }
}

/** Two machines with one cable between them and nothing else, each with loopback of its own. Gone after the test. */
export function twoMachines(): [Machine, Machine] {
  const id = randomBytes(3).toString('hex')
  const network = `10.${randomInt(64, 128)}.${randomInt(256)}`
  const machines = ['a', 'b'].map((letter, index) => ({
    name: `mcpg-${id}-${letter}`,
    card: `mcpg${id}${letter}`,
    address: `${network}.${index + 1}`,
  }))
  for (const { name } of machines) {
    ip('netns', 'add', name)
    // A namespace takes its end of the cable with it, and an end the other one.
    closeLater(() => ip('netns', 'del', name))
  }
  const [a, b] = machines as [(typeof machines)[0], (typeof machines)[0]]
  ip('link', 'add', a.card, 'netns', a.name, 'type', 'veth', 'peer', 'name', b.card, 'netns', b.name)
  for (const { name, card, address } of machines) {
    ip('-n', name, 'address', 'add', `${address}/24`, 'dev', card)
    for (const device of ['lo', card]) ip('-n', name, 'link', 'set', device, 'up')
  }
  return [a, b].map(({ name, address }) => ({ address, within: ['ip', 'netns', 'exec', name] })) as [Machine, Machine]
}

/** Lets programs of a machine reach a port of this one's loopback under the same address, e.g. a database of the test run. */
export async function lendPort({ within }: Machine, port: number): Promise<void> {
  const path = join(temporaryFolder(), 'relay')
  const connections = new Set<Socket>()
  const server = createServer((inner) => {
    const outer = connect(port, '127.0.0.1')
    inner.pipe(outer).pipe(inner)
    for (const socket of [inner, outer]) {
      connections.add(socket)
      socket.on('error', () => socket.destroy()).on('close', () => connections.delete(socket))
    }
  }).listen(path)
  await once(server, 'listening')
  const [program, ...args] = [...within, process.execPath, join(import.meta.dirname, 'relay.ts'), String(port), path]
  const relay = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  closeLater(async () => {
    relay.kill('SIGKILL')
    for (const socket of connections) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  await once(relay.stdout, 'data')
}

function ip(...args: string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}
