// docs/openapi.json from the routes of the control plane; `--check` fails when the committed one is another or a rule is broken.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const target = join(root, 'docs/openapi.json')

const document = await emit()
const problems = lint(document)
for (const problem of problems) console.error(`openapi: ${problem}`)
const text = `${JSON.stringify(document, null, 2)}\n`
if (!process.argv.includes('--check')) {
  mkdirSync(join(root, 'docs'), { recursive: true })
  writeFileSync(target, text)
  console.log(`wrote docs/openapi.json (${Object.keys(document.paths).length} paths)`)
} else if (readCommitted() !== text) {
  problems.push('stale')
  console.error('docs/openapi.json is not what the routes say.\nhint: node scripts/with-node.mjs node scripts/openapi.mjs')
}
if (problems.length > 0) process.exitCode = 1

/** The description of the real app, on a database of its own that is thrown away. */
async function emit() {
  const load = (path) => import(pathToFileURL(join(root, path)).href)
  const [{ readConfig }, { createApp }] = await Promise.all([load('cp/src/config.ts'), load('cp/src/app.ts')])
  const stateDir = mkdtempSync(join(tmpdir(), 'mcpg-openapi-'))
  try {
    const app = await createApp(readConfig({ 'state-dir': stateDir, 'log-level': 'silent' }, {}))
    const described = JSON.parse(JSON.stringify(app.http.app.swagger()))
    for (const part of app.parts.toReversed()) await part.stop()
    return described
  } finally {
    rmSync(stateDir, { recursive: true, force: true })
  }
}

/** Rules for every operation: an id of its own, a summary, one known tag, a success, the problem, and every path parameter declared. */
function lint({ openapi, info, tags, paths }) {
  const found = []
  const ids = new Map()
  const known = new Set((tags ?? []).map(({ name }) => name))
  if (!openapi?.startsWith('3.1.')) found.push(`openapi is ${openapi}, not 3.1`)
  if (!info?.title || !info?.version) found.push('info needs title and version')
  for (const [path, item] of Object.entries(paths))
    for (const [method, operation] of Object.entries(item)) {
      const where = `${method.toUpperCase()} ${path}`
      const { operationId, summary, responses = {}, parameters = [], tags: own = [] } = operation
      if (!operationId) found.push(`${where} has no operationId`)
      else if (ids.has(operationId)) found.push(`${where} has the operationId ${operationId} of ${ids.get(operationId)}`)
      else ids.set(operationId, where)
      if (!summary) found.push(`${where} has no summary`)
      if (own.length !== 1 || !known.has(own[0])) found.push(`${where} needs exactly one of the tags ${[...known].join(', ')}`)
      if (!Object.keys(responses).some((status) => /^[23]/.test(status))) found.push(`${where} declares no successful response`)
      if (!responses.default?.content?.['application/problem+json']) found.push(`${where} declares no problem`)
      const declared = new Set(parameters.filter((one) => one.in === 'path').map(({ name }) => name))
      for (const [, name] of path.matchAll(/\{(\w+)\}/g))
        if (!declared.has(name)) found.push(`${where} does not declare its path parameter ${name}`)
    }
  return found
}

function readCommitted() {
  try {
    return readFileSync(target, 'utf8')
  } catch {
    return ''
  }
}
