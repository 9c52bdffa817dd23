/* Started in a network namespace: its loopback port leads to a socket file, which namespaces do not divide. */
import { connect, createServer } from 'node:net'

const [port = '', path = ''] = process.argv.slice(2)
createServer((inner) => {
  const outer = connect(path)
  inner.pipe(outer).pipe(inner)
  for (const [one, other] of [
    [inner, outer],
    [outer, inner],
  ] as const)
    one.on('error', () => other.destroy()).on('close', () => other.destroy())
}).listen(Number(port), '127.0.0.1', () => process.stdout.write('ready\n'))
