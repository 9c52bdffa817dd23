import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { temporaryFolder } from '../harness/cleanup.ts'
import { ctl, startControlPlane } from '../harness/programs.ts'

const examples = join(import.meta.dirname, '../../examples')

/** `apply` → `get -o yaml` → `apply` for every file of `examples/`; answers the files whose second apply changed anything. */
export async function roundTripExamples({ env }: { env?: Record<string, string> } = {}) {
  const stateDir = join(temporaryFolder(), 'control-plane')
  const controlPlane = await startControlPlane({ stateDir, ...(env ? { env } : {}) })
  const run = (args: string[], stdin?: string) =>
    ctl(args, { stateDir, env: { MCPG_CP_URL: controlPlane.http }, ...(stdin === undefined ? {} : { stdin }) })
  const wrong: string[] = []
  const files = readdirSync(examples).filter((name) => name.endsWith('.yaml'))
  for (const file of files) {
    const applied = await run(['apply', '-f', join(examples, file)])
    const printed = await run(['get', 'servers', '-o', 'yaml'])
    const again = await run(['apply', '-f', '-', '-o', 'json'], printed.stdout)
    const results = again.code === 0 ? [...again.stdout.matchAll(/"result": *"(\w+)"/g)].map((match) => match[1]) : []
    if (applied.code !== 0 || results.length === 0 || results.some((result) => result !== 'unchanged'))
      wrong.push(`${file}: ${applied.stderr || again.stderr || results.join(' ')}`)
  }
  await controlPlane.stop()
  return { files: files.length, wrong }
}
