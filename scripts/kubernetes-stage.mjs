// The stage of .ci/run after the tests: the stories on a real Kubernetes, as many of them as this machine can have and there is time for.
// A file that is not run counts as one skipped, and one that fails is tried again on a new cluster; a line says so either way.
// MCPG_CI_UNTIL is when all must be over, in seconds since 1970.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { nodeBinary, pathWith, root } from './workspace.mjs'

/** Minutes that must be left for a file, a little more than it takes on two idle cores; in the order in which they are run, the shortest first. */
const minutesOf = { install: 1, objects: 2, pods: 2, faults: 5, provision: 5.5 }
/** For what was started to end in order. */
const graceMs = 20_000
const unfinished = { failed: 1, failures: ['did not finish'] }
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const overTime = Symbol('over time')
const folder = join(root, 'e2e/kubernetes')
const results = join(root, '.cache/results')
const leftMs = () => Number(process.env.MCPG_CI_UNTIL ?? Infinity) * 1000 - Date.now() - graceMs
const inMinutes = (ms) => `${Math.max(0, ms / 60_000).toFixed(1)} min`

const there = readdirSync(folder).flatMap((name) => /^(.*)\.test\.ts$/.exec(name)?.[1] ?? [])
const stories = Object.keys(minutesOf).concat(there.filter((name) => !(name in minutesOf)))
const sum = { passed: 0, failed: 0, skipped: 0, failures: [] }
mkdirSync(results, { recursive: true })
const why = await whyNone()
for (const name of stories) await (why ? skip(name, why) : tell(name))
writeFileSync(join(results, 'kubernetes.json'), JSON.stringify(sum))
process.exitCode = sum.failed ? 1 : 0

/** Null once Kubernetes is built; .ci/run began that long ago, and this waits for it. */
async function whyNone() {
  if (leftMs() <= 0) return 'the tests have taken all the time that there was'
  const built = await run(join(folder, 'build.sh'), [], leftMs())
  if (built === overTime) return 'Kubernetes is not built yet; the next run goes on with what is compiled'
  if (built === 3) return 'this machine cannot have a Kubernetes; why stands above'
  if (built !== 0) fail(`build.sh ended with ${built}; what it said stands above`)
  return built === 0 ? null : 'Kubernetes could not be built'
}

async function tell(name, isAgain = false) {
  const neededMs = (minutesOf[name] ?? 5) * 60_000
  if (leftMs() < neededMs) return skip(name, `${inMinutes(leftMs())} are left, and it may take ${inMinutes(neededMs)}`)
  const file = join(results, `kubernetes-${name}.json`)
  rmSync(file, { force: true })
  const vitest = [join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--project', 'kubernetes', `e2e/kubernetes/${name}.test.ts`]
  const code = await run(nodeBinary(), vitest, leftMs(), { MCPG_RESULTS: file })
  if (code === overTime) return skip(name, 'it was not over in time, and was ended')
  const { failures, ...counts } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : unfinished
  rmSync(file, { force: true })
  if ((code !== 0 || counts.failed > 0) && !isAgain && leftMs() >= neededMs) {
    console.log(`AGAIN e2e/kubernetes/${name}.test.ts, on a new cluster: ${failures.join('; ')}`)
    return await tell(name, true)
  }
  for (const [key, count] of Object.entries(counts)) sum[key] += count
  sum.failures.push(...failures)
  if (code !== 0 && !counts.failed) fail(`${name} ended with ${code}`)
}

function skip(name, because) {
  console.log(`SKIPPED the stories of e2e/kubernetes/${name}.test.ts (npm test -- --project kubernetes ${name}): ${because}`)
  sum.skipped++
}

function fail(failure) {
  sum.failed++
  sum.failures.push(failure)
}

/** Its exit code, or `overTime`; nothing of it is left then. */
async function run(command, args, timeoutMs, env = {}) {
  const child = spawn(command, args, {
    cwd: root,
    // A group of its own, which is ended as a whole.
    detached: true,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PATH: pathWith(dirname(nodeBinary())), ...env },
  })
  const exited = once(child, 'exit')
  const end = (signal) => child.pid && process.kill(-child.pid, signal)
  const passOn = (signal) => end(signal)
  for (const signal of signals) process.on(signal, passOn)
  let isOver = false
  const timers = Number.isFinite(timeoutMs)
    ? [setTimeout(() => end('SIGTERM', (isOver = true)), timeoutMs), setTimeout(() => end('SIGKILL'), timeoutMs + graceMs)]
    : []
  const [code] = await exited
  timers.forEach(clearTimeout)
  for (const signal of signals) process.off(signal, passOn)
  return isOver ? overTime : (code ?? 1)
}
