import { readdirSync, readFileSync } from 'node:fs'
import { kinds } from '@mcpg/proto/kinds'
import { kindExamples } from '@mcpg/proto/test/kind-examples'
import { describe, expect, test } from 'vitest'
import { starterServer } from '../quickstart/starter.ts'
import { showPosition } from './manifest.ts'
import { parseManifest } from './parse.ts'
import { groupedYaml, toYaml } from './print-form.ts'

const plain = ({ objects, problems }: ReturnType<typeof parseManifest>) => ({
  objects: objects.map(({ kind, metadata, spec }) => ({ kind, metadata, spec })),
  problems: problems.map(({ position, path, detail }) => `${showPosition(position)} ${path} ${detail}`),
})
const read = (text: string, env?: Record<string, string>) => plain(parseManifest(text, 'm.yaml', env && ((name) => env[name])))

const echo = { kind: 'Server', metadata: { name: 'echo', labels: { tier: 'edge' } }, spec: { command: ['echo'], required: false } }

test.each([
  ['grouped', 'servers:\n  - name: echo\n    labels: {tier: edge}\n    command: [echo]\n    required: false\n'],
  ['kind with fields beside it', '---\nkind: server\nname: echo\nlabels: {tier: edge}\ncommand: [echo]\nrequired: false\n---\n'],
  [
    'Kubernetes',
    'apiVersion: mcpg.dev/v1alpha1\nkind: SERVER\nmetadata: {name: echo, labels: {tier: edge}}\nspec: {command: [echo], required: false}\n',
  ],
  ['JSON', '{"servers": [{"name": "echo", "labels": {"tier": "edge"}, "command": ["echo"], "required": false}]}'],
  [
    'a list of the API',
    JSON.stringify({ items: [{ ...echo, metadata: { ...echo.metadata, uid: 'u', generation: 3 }, status: { ready: 1 } }] }),
  ],
])('reads the form: %s', (_form, text) => expect(read(text)).toEqual({ objects: [echo], problems: [] }))

describe.each(kinds.filter(({ virtual }) => !virtual))('$kind', (kind) => {
  const { base, flips } = kindExamples[kind.kind]!
  const specs = Object.entries(flips).flatMap(([field, pair]) =>
    pair.map((one) => (kind.oneOf.includes(field) ? one : { ...base, ...one })),
  )
  const metadata = {
    name: kind.name ? 'ann@example.com' : 'a',
    labels: { tier: 'edge' },
    annotations: { note: 'b' },
    ...(kind.scope === 'project' && { project: 'p' }),
  }
  const objects = specs.map((spec) => ({ kind: kind.kind, metadata, spec: spec as Record<string, unknown> }))

  test('is the same in every form, of YAML and of JSON', () => {
    const flat = objects.map(({ spec }) => ({ ...metadata, ...spec }))
    const documents = (all: object[]) => all.map((one) => `---\n${toYaml(one)}`).join('')
    const kubernetes = objects.map((one) => ({ apiVersion: 'mcpg.dev/v1alpha1', ...one, status: { ready: 1 } }))
    const listed = objects.map((one) => ({
      ...one,
      metadata: { ...one.metadata, uid: 'u', org: 'o', generation: 3, createdAt: '2026-01-01T00:00:00Z' },
      status: {},
    }))
    const forms = {
      grouped: toYaml({ [kind.plural]: flat }),
      documents: documents(flat.map((one) => ({ kind: kind.kind.toLowerCase(), ...one }))),
      plural: documents(flat.map((one) => ({ kind: kind.plural.toUpperCase(), ...one }))),
      kubernetes: documents(kubernetes),
      list: toYaml({ apiVersion: 'mcpg.dev/v1alpha1', kind: 'List', items: kubernetes }),
      answer: JSON.stringify({ items: listed, total: 3 }),
      json: JSON.stringify({ [kind.plural]: flat }, null, 1),
    }
    for (const [form, text] of Object.entries(forms)) expect([form, read(text)]).toEqual([form, { objects, problems: [] }])
  })

  test('is printed grouped, as it is read back', () => {
    const printed = groupedYaml(objects)
    expect(printed.startsWith(`${kind.plural}:\n  - name: `)).toBe(true)
    expect(plain(parseManifest(printed, 'm.yaml', () => undefined))).toEqual({ objects, problems: [] })
  })
})

test('organizations, workspaces and environments are not applied, and said how they are made', () => {
  expect(read('orgs: [{name: a}]').problems).toEqual(['m.yaml:1:1 /orgs are not applied; they are made by mcpg-ctl create org <name>'])
})

test('names file, line, column and path of every problem at once', () => {
  const text =
    'servers:\n  - name: Bad_Name\n    comand: [x]\n    command: [x]\n  - command: [y]\n    startTimeout: 5\n    env: [{name: A, valeu: b}]\ngateway: []\nservers2: 3\n'
  expect(read(text).problems).toEqual([
    expect.stringMatching(/^m\.yaml:2:5 \/servers\/0\/name must be 1-63/),
    'm.yaml:3:5 /servers/0/comand is an unknown field; did you mean command?',
    'm.yaml:5:5 /servers/1/name is missing',
    'm.yaml:7:21 /servers/1/env/0/valeu is an unknown field; did you mean value?',
    'm.yaml:7:11 /servers/1/env/0 exactly one of value, valueFrom is needed, none is given',
    'm.yaml:6:5 /servers/1/startTimeout must be a string',
    'm.yaml:8:1 /gateway is no kind of object; did you mean gateways?',
    'm.yaml:9:1 /servers2 is no kind of object; did you mean servers?',
  ])
})

test('names the alternative of a union that was meant', () => {
  const problems = (command: string) => read(`servers: [{name: a, command: ${command}}]`).problems
  expect(problems('[x, true]')).toEqual(['m.yaml:1:34 /servers/0/command/1 must be a string'])
  expect(problems('5')).toEqual(['m.yaml:1:21 /servers/0/command must be a list or be a string'])
})

test('refuses a duplicate key with its line', () => {
  expect(read('servers:\n  - name: a\n    command: x\n    command: y\n').problems).toEqual(['m.yaml:4:5  this key is given twice'])
})

test('refuses broken YAML, an unknown kind and a kind that is only reported', () => {
  expect(read('servers: [').problems).toHaveLength(1)
  expect(read('kind: Sever\nname: a\n').problems).toEqual(['m.yaml:1:1 /kind "Sever" is no kind of object; did you mean Server?'])
  expect(read('kind: Gateway\nname: a\n').problems).toEqual(['m.yaml:1:1 /kind Gateway objects are reported, not applied'])
  expect(read('apiVersion: v2\nkind: Server\nmetadata: {name: a}\nspec: {command: x}\n').problems).toEqual([
    'm.yaml:1:1 /apiVersion must be mcpg.dev/v1alpha1',
  ])
})

test('expands variables in values only, and says which one is missing', () => {
  const text = 'servers:\n  - name: a\n    command: ["${A}", "${B:-b}", "${A:+set}", "${B:+set}", "$${A}", "$A", "${C:-}"]\n'
  expect(read(text, { A: '1', B: '' }).objects[0]?.spec).toEqual({ command: ['1', 'b', 'set', '', '${A}', '$A', ''] })
  expect(read(text, { B: 'x' }).problems).toEqual(['m.yaml:3:15  the variable A is not set; set it, or write ${A:-default}'])
  expect(read(text).objects[0]?.spec['command']).toContain('${A}')
})

test('what is expanded never becomes syntax', () => {
  expect(read('servers:\n  - name: a\n    command: ["${A}"]\n', { A: 'x"]\n  - name: b' }).objects).toHaveLength(1)
})

test('a bomb of aliases is an error, not a hang', () => {
  const bomb = [
    'a: &a [x,x,x,x,x,x,x,x,x]',
    ...'bcdefghi'.split('').map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefghi'[index]}`).join(',')}]`),
  ]
  expect(read(bomb.join('\n')).problems.join()).toMatch(/alias/i)
})

test('prints what it reads back unchanged, whatever the text looks like', () => {
  const spec = {
    command: ['no', '12:30', '${HOME}', '$${HOME}', ' blank ', 'a\nb', '', '#', 'null', '0x1f', "it's", 'ü'],
    env: [{ name: 'A', value: 'yes' }],
    required: true,
    stopGrace: '5s',
  }
  const resource = {
    kind: 'Server',
    metadata: { name: 'a', labels: { on: 'off' }, annotations: { note: 'two\nlines' } },
    spec,
  }
  const again = parseManifest(groupedYaml([resource]), 'm.yaml', () => undefined)
  expect(plain(again)).toEqual({ objects: [resource], problems: [] })
})

test('1,000 errors are found with their lines', () => {
  const text = `servers:\n${Array.from({ length: 1000 }, (_, index) => `  - name: s${index}\n`).join('')}`
  const { problems } = read(text)
  expect(problems).toHaveLength(1000)
  expect(problems[999]).toMatch(/^m\.yaml:1001:5 .*exactly one of command, package, url is needed, none is given/)
})

const examples = new URL('../../../examples/', import.meta.url)

test.each(readdirSync(examples))('examples/%s is valid and survives get and apply', (name) => {
  const { objects, problems } = parseManifest(readFileSync(new URL(name, examples), 'utf8'), name, () => undefined)
  expect(problems).toEqual([])
  expect(objects.length).toBeGreaterThan(0)
  expect(plain(parseManifest(groupedYaml(objects), name, () => undefined)).objects).toEqual(plain({ objects, problems }).objects)
})

test('quickstart applies what its example says', () => {
  const { objects } = parseManifest(readFileSync(new URL('quickstart.yaml', examples), 'utf8'), 'quickstart.yaml')
  expect(objects.map(({ kind, metadata, spec }) => ({ kind, metadata, spec }))).toEqual([starterServer])
})
