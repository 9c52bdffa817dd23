// Runs the official conformance suite against a URL and says which scenarios passed.
import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'

export type Revision = '2025-11-25' | '2026-07-28'

export type ConformanceResult = {
  /** Required scenarios without a failed check, in the suite's order. */
  passed: string[]
  /** Required scenarios with a failed check, or that did not end, expected or not. */
  failed: string[]
  /** Failed and not among the expected failures. */
  unexpected: string[]
  /** Expected to fail, but passed: entries to remove from the list. */
  stale: string[]
  /** Scenarios the revision runs without counting them. */
  unscored: { passed: string[]; failed: string[] }
  /** Every failed check, for the message of a failing test. */
  failures: { scenario: string; check: string; message: string }[]
}

const packageFile = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')
const suite = dirname(packageFile)

const Requirements = z.object({
  server: z.array(z.string()),
  not_scored: z.array(z.object({ scenario: z.string(), leg: z.string() })),
})
const Checks = z.array(z.object({ id: z.string(), status: z.string(), errorMessage: z.string().optional() }))

/**
 * Runs every server scenario of a revision against `url`, whose host must be localhost (the suite's
 * DNS rebinding scenario insists). `expectedFailures` are scenario names. `timeoutMs` is per scenario.
 * Throws when the suite itself could not run.
 */
export async function runConformance({
  url,
  requirements,
  expectedFailures = [],
  timeoutMs = 60_000,
}: {
  url: string
  requirements: Revision
  expectedFailures?: string[]
  timeoutMs?: number
}): Promise<ConformanceResult> {
  const required = Requirements.parse(parse(await readFile(join(suite, 'requirements', `${requirements}.yaml`), 'utf8')))
  const unscored = required.not_scored.filter((entry) => entry.leg === 'server').map((entry) => entry.scenario)
  const output = await mkdtemp(join(tmpdir(), 'conformance-'))
  try {
    const log = await runSuite(['server', '--url', url, '--requirements', requirements, '--timeout', String(timeoutMs), '-o', output])
    const failures = await readFailures(output, [...required.server, ...unscored], log)
    const bad = new Set(failures.map((failure) => failure.scenario))
    const failed = required.server.filter((name) => bad.has(name))
    return {
      passed: required.server.filter((name) => !bad.has(name)),
      failed,
      unexpected: failed.filter((name) => !expectedFailures.includes(name)),
      stale: expectedFailures.filter((name) => !bad.has(name)),
      unscored: { passed: unscored.filter((name) => !bad.has(name)), failed: unscored.filter((name) => bad.has(name)) },
      failures,
    }
  } finally {
    await rm(output, { recursive: true, force: true })
  }
}

/** Runs one scenario for what it leaves behind and not for its outcome. */
export async function runScenario(url: string, scenario: string): Promise<void> {
  const output = await mkdtemp(join(tmpdir(), 'conformance-'))
  await runSuite(['server', '--url', url, '--scenario', scenario, '-o', output]).finally(() => rm(output, { recursive: true, force: true }))
}

/** Exit code 1 only means that a scenario failed; what failed is in the result files. */
async function runSuite(args: string[]): Promise<string> {
  // Colors would end up in the messages, and the suite's own environment has nothing to tell it.
  const child = spawn(process.execPath, [join(suite, 'dist', 'index.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], NO_COLOR: '1' },
  })
  let log = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (log += String(chunk)))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0 && code !== 1) throw new Error(`The conformance suite ended with ${code}:\n${log.slice(-2000)}`)
  return log
}

/** A scenario's results are in `server-<scenario>-<time>/checks.json`; a scenario that threw leaves none. */
async function readFailures(output: string, scenarios: string[], log: string): Promise<ConformanceResult['failures']> {
  const folders = await readdir(output)
  if (folders.length === 0) throw new Error(`The conformance suite wrote no results:\n${log.slice(-2000)}`)
  const failures = await Promise.all(scenarios.map(failuresOf))
  return failures.flat()

  async function failuresOf(scenario: string): Promise<ConformanceResult['failures']> {
    const folder = folders.find((name) => name.replace(/-\d{4}-\d{2}-\d{2}T[\d-]+Z$/, '') === `server-${scenario}`)
    const text = folder && (await readFile(join(output, folder, 'checks.json'), 'utf8').catch(() => undefined))
    if (!text) return [{ scenario, check: 'ran', message: 'The scenario left no results.' }]
    const checks = Checks.parse(JSON.parse(text))
    if (checks.length === 0) return [{ scenario, check: 'ran', message: 'The scenario checked nothing.' }]
    const failed = checks.filter((check) => check.status === 'FAILURE')
    return failed.map((check) => ({ scenario, check: check.id, message: check.errorMessage ?? '' }))
  }
}
