import { isDeepStrictEqual } from 'node:util'
import { join } from 'node:path'
import { kinds } from '@mcpg/proto/kinds'
import type { KindDeclaration } from '@mcpg/proto/kinds/kind'
import { argumentsOf } from '@mcpg/proto/test/kind-arguments'
import { kindExamples, referredTo } from '@mcpg/proto/test/kind-examples'
import { temporaryFolder } from '../harness/cleanup.ts'
import { ctl, startControlPlane } from '../harness/programs.ts'

const stored = kinds.filter(({ virtual }) => !virtual)

type Made = { metadata: object; spec: object }

/**
 * Makes every example of every stored kind three times, by flags, by a manifest and by REST, and compares what is stored; applies what
 * `get -o yaml` prints of it; and explains every field. `perKind`: at most so many examples and fields of each kind.
 */
export async function roundTripKinds({ perKind = Infinity, chosen = stored }: { perKind?: number; chosen?: KindDeclaration[] } = {}) {
  const stateDir = join(temporaryFolder(), 'control-plane')
  const controlPlane = await startControlPlane({ stateDir })
  const org = `${controlPlane.http}/v1/orgs/default`
  const base = `${org}/workspaces/default`
  const homes = { org, workspace: base, project: `${base}/projects/home` }
  /** Whatever lives in a project lives in this one; beside other kinds its flag is refused where it would be taken for a limit. */
  const inHome = (kind: KindDeclaration) => (kind.scope === 'project' ? ['-p', 'home'] : [])
  const run = (args: string[], stdin?: string) =>
    ctl(args, { stateDir, env: { MCPG_CP_URL: controlPlane.http }, ...(stdin === undefined ? {} : { stdin }) })
  const post = async (path: string, body: object) => {
    const response = await fetch(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${await response.text()}`)
  }
  const wrong: string[] = []
  let objects = 0
  let fields = 0
  await post(`${base}/apply`, { objects: referredTo })
  for (const kind of chosen) {
    const { base: spec, flips, named = (word: string) => word } = kindExamples[kind.kind]!
    const path = `${homes[kind.scope]}/${kind.plural}`
    const specs = Object.entries(flips).flatMap(([field, pair]) =>
      pair.map((one) => (kind.oneOf.includes(field) ? one : { ...spec, ...one })),
    )
    for (const [index, one] of specs.slice(0, perKind).entries()) {
      objects++
      const noun = kind.kind.toLowerCase()
      const name = (by: string) => named(`${by}-${index}`)
      const flagged = await run(['create', noun, name('flags'), ...argumentsOf(kind, one), ...inHome(kind)])
      const manifest = JSON.stringify({ [kind.plural]: [{ name: name('manifest'), ...one }] })
      const applied = await run(['apply', '--no-expand', '-f', '-', ...inHome(kind)], manifest)
      await post(path, { kind: kind.kind, metadata: { name: name('rest') }, spec: one })
      const made = await Promise.all(['flags', 'manifest', 'rest'].map(async (by) => await read(`${path}/${name(by)}`)))
      const [first, ...others] = made.map(({ metadata, spec: read }) => ({ ...withoutIdentity(metadata), spec: read }))
      if (flagged.code !== 0 || applied.code !== 0 || others.some((other) => !isDeepStrictEqual(other, first)))
        wrong.push(`${noun} ${JSON.stringify(one)}: ${flagged.stderr || applied.stderr || JSON.stringify(made.map((each) => each.spec))}`)
    }
    const printed = await run(['get', kind.plural, '-o', 'yaml', ...inHome(kind)])
    const again = await run(['apply', '-f', '-', '-o', 'json'], printed.stdout)
    const results = [...again.stdout.matchAll(/"result": *"(\w+)"/g)].map((match) => match[1])
    if (again.code !== 0 || results.length === 0 || results.some((result) => result !== 'unchanged'))
      wrong.push(`${kind.plural}: get -o yaml, applied again: ${again.stderr || results.join(' ')}`)
    // Which fields there are to explain is tested without a process for each.
    await Promise.all(
      Object.keys(flips)
        .slice(0, perKind)
        .map(async (field) => {
          fields++
          const { code, stderr } = await run(['explain', `${kind.kind.toLowerCase()}.${field}`])
          if (code !== 0) wrong.push(`explain ${kind.kind}.${field}: ${stderr}`)
        }),
    )
  }
  await controlPlane.stop()
  return { kinds: chosen.length, objects, fields, wrong }

  async function read(path: string): Promise<Made> {
    return (await (await fetch(path)).json()) as Made
  }
}

/** What two objects of one content have each for itself. */
function withoutIdentity(metadata: object = {}): Record<string, unknown> {
  const own = new Set(['name', 'uid', 'resourceVersion', 'createdAt', 'updatedAt'])
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !own.has(key)))
}
