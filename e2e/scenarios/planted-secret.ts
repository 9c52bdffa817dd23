// A planted secret is looked for everywhere it could leak to: logs, answers, arguments, documents, slots, database, pages, state dirs.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { api } from '../harness/api.ts'
import { temporaryFolder } from '../harness/cleanup.ts'
import { ctl, startControlPlane, startGateway } from '../harness/programs.ts'
import { until } from '../harness/until.ts'
import { filesBelow, firstOfWatch, processes, readings, textOf } from './canary.ts'
import { fixture, serverUrl, serving } from './fleet.ts'
import { visit } from './pages.ts'
import { databaseText, variableOf } from './secrets.ts'

const scope = '/v1/orgs/default/workspaces/default'
const pages = [
  '/',
  '/gateways',
  '/gateways/canary',
  '/servers',
  '/servers/tells',
  '/servers/dies',
  '/tools',
  '/events',
  '/logs',
  '/secrets',
  '/secrets/github',
]

/** Two values, the second by rotation; answers where one of them was found, and how many places were looked at. */
export async function plantSecret({ env = {} }: { env?: Record<string, string> } = {}) {
  const folder = temporaryFolder()
  const values = ['planted+value/one-1f6c9a', 'planted+value/two-8b03de']
  // As it is, and in the spellings in which it travels.
  const spellings = values.flatMap((value) => [value, encodeURIComponent(value), Buffer.from(value).toString('base64').slice(0, -2)])
  const found: string[] = []
  let looked = 0
  const look = (where: string, text: string) => {
    looked++
    if (spellings.some((spelling) => text.includes(spelling))) found.push(where)
  }
  const loud = { ...env, MCPG_LOG_LEVEL: 'trace' }
  const controlPlane = await startControlPlane({ stateDir: join(folder, 'control-plane'), env: loud })
  const rest = api(controlPlane.http)
  const { url } = await rest.enroll({ name: 'canary' })
  const gateway = await startGateway({ stateDir: join(folder, 'gateway'), url, env: loud })
  const manifest = join(folder, 'secrets.yaml')
  writeFileSync(manifest, 'secrets:\n  - name: github\n    data:\n      token: { fromEnv: PLANTED }\n')
  const command = async (args: string[], more: Record<string, string> = {}) => {
    const { stdout, stderr } = await ctl(args, { stateDir: folder, env: { ...loud, MCPG_CP_URL: controlPlane.http, ...more } })
    look(`mcpg-ctl ${args.join(' ')}`, stdout + stderr)
  }
  const token = { env: [{ name: 'TOKEN', valueFrom: { secretRef: { name: 'github', key: 'token' } } }] }
  await command(['plan', '-f', manifest], { PLANTED: values[0]! })
  await command(['apply', '-f', manifest], { PLANTED: values[0]! })
  await rest.servers(fixture('tells', 'tells-secret', [], token), fixture('dies', 'tells-secret', ['--die'], { ...token, required: false }))
  await serving(serverUrl(gateway, 'tells'))
  await command(['diff', '-f', manifest], { PLANTED: values[1]! })
  await command(['apply', '-f', manifest, '-o', 'json'], { PLANTED: values[1]! })
  await until('the rotated value is there', async () => (await variableOf(gateway, 'tells', 'TOKEN')) === values[1])
  await until('the one that dies is reported', async () => {
    const { gateways } = (await rest.get('servers', 'dies')).status as { gateways: { lastLogLines?: string[] }[] }
    return gateways.some(({ lastLogLines = [] }) => lastLogLines.some((line) => line.includes('[secret]')))
  })
  // The file of a client may hold it; nothing that is made of the file may say it.
  const clientFile = join(temporaryFolder(), 'mcp.json')
  writeFileSync(clientFile, JSON.stringify({ mcpServers: { imported: { command: 'x', env: { TOKEN: values[1] }, disabled: true } } }))
  for (const args of [
    ['import', clientFile, '--dry-run=client'],
    ['import', clientFile, '--dry-run'],
    ['import', clientFile],
  ])
    await command(args)
  const looks = [
    ['get', 'all', '-o', 'yaml'],
    ['get', 'secrets', '-o', 'wide'],
    ['describe', 'secret/github'],
    ['describe', 'server/dies'],
    ['describe', 'gateway/canary'],
    ['logs', 'tells'],
    ['status'],
  ]
  await Promise.all(looks.map((args) => command(args)))

  for (const { pid, argv, environment } of processes(folder)) {
    look(`arguments of process ${pid}`, argv)
    // The server itself is given it there, with whatever holds the server; nobody else may have it.
    if (!argv.includes('tells-secret')) look(`environment of process ${pid}: ${argv.replaceAll('\0', ' ')}`, environment)
  }
  const objects = [`${scope}/secrets`, `${scope}/secrets/github`, `${scope}/servers/tells`, `${scope}/servers/dies`, `${scope}/events`]
  for (const path of [...readings({ gateway: 'canary' }), ...objects]) look(`GET ${path}`, await textOf(controlPlane.http + path))
  for (const { path, text } of await visit(controlPlane.http, pages)) look(`page ${path}`, text)
  look('watch', await firstOfWatch(controlPlane.http))
  for (const path of ['/healthz', '/readyz', '/metrics']) look(`endpoint ${path}`, await textOf(new URL(path, gateway.endpoint).href))

  await gateway.kill()
  await controlPlane.kill()
  look('output of the control plane', controlPlane.output())
  look('output of the gateway', gateway.output())
  look('database', await databaseText(controlPlane.stateDir))
  for (const file of filesBelow(folder)) look(`file ${file.slice(folder.length)}`, readFileSync(file, 'latin1'))
  // The one answer that holds it, so that it is known to be there at all.
  const again = await controlPlane.restart()
  const revealed = await ctl(['secret', 'reveal', 'github', '--key', 'token', '--yes'], {
    stateDir: folder,
    env: { MCPG_CP_URL: again.http },
  })
  const isRevealed = revealed.stdout === `${values[1]}\n`
  await again.stop()
  look('database after a reveal', await databaseText(controlPlane.stateDir))
  return { found, looked, isRevealed }
}
