// Everything that needs no running program, in seconds. All steps run; the failed ones are named at the end.
import { spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ensureClients, nodeBinary, pathWith, root } from './workspace.mjs'

ensureClients()
const node = nodeBinary()
const env = { ...process.env, PATH: pathWith(dirname(node)) }
const steps = [
  ['format', 'oxfmt', ['--check', '.']],
  ['types', 'tsc', ['-b']],
  ['lint', 'oxlint', ['--type-aware', '--deny-warnings', '.']],
  [
    'arrows',
    'depcruise',
    ['--config', 'scripts/arrows.cjs', 'proto/src', 'core/src', 'cp/src', 'gateway-agent/src', 'ctl/src', 'ui/src', 'e2e'],
  ],
  ['proto lint', 'buf', ['lint']],
  ['proto breaking', 'buf', ['breaking', '--against', 'proto/released.binpb']],
  ['proto generated', node, ['scripts/gen.mjs', '--check']],
  ['migrations', node, ['scripts/db.mjs', 'check']],
  ['documented paths', node, ['scripts/doc-paths.mjs']],
  ['openapi', node, ['scripts/openapi.mjs', '--check']],
]

const failed = []
// Two at a time: the steps are single-threaded and the smallest machine has two cores.
const waiting = [...steps]
await Promise.all(
  [1, 2].map(async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) await execute(next)
  }),
)
console.log(`${steps.length - failed.length} checks passed, ${failed.length} failed${failed.length ? `: ${failed.join(', ')}` : ''}`)
mkdirSync(join(root, '.cache/results'), { recursive: true })
writeFileSync(
  join(root, '.cache/results/check.json'),
  JSON.stringify({ passed: steps.length - failed.length, failed: failed.length, failures: failed }),
)
process.exitCode = failed.length ? 1 : 0

function execute([name, command, args]) {
  const started = performance.now()
  return new Promise((resolve) => {
    let output = ''
    const child = spawn(command, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
    child.stdout.on('data', (chunk) => (output += chunk))
    child.stderr.on('data', (chunk) => (output += chunk))
    child.on('error', (error) => (output += error.message))
    child.on('close', (code) => {
      const seconds = ((performance.now() - started) / 1000).toFixed(1)
      console.log(`${code === 0 ? 'ok  ' : 'FAIL'} ${name} (${seconds} s)`)
      if (code !== 0) {
        failed.push(name)
        process.stderr.write(output.trimEnd().split('\n').slice(-60).join('\n') + '\n')
      }
      resolve()
    })
  })
}
