import { kinds } from '@mcpg/proto/kinds'
import { kindExamples } from '@mcpg/proto/test/kind-examples'
import { beforeEach, expect, test } from 'vitest'
import { ctl } from '../../../test/env.ts'
import { fakeRest } from '../../../test/fake-rest.ts'

let rest: Awaited<ReturnType<typeof fakeRest>>
beforeEach(async () => {
  rest = await fakeRest()
})
async function described(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await ctl(['describe', ...words], { variables: rest.variables })
  expect([code, stderr]).toEqual([0, ''])
  return stdout
}
const put = (kind: string, name: string, spec: Record<string, unknown>, metadata: object = {}, status: Record<string, unknown> = {}) =>
  rest.put({ kind, metadata: { name, ...metadata }, spec }, status)

test.each(kinds.filter(({ virtual, kind }) => !virtual && kind !== 'Server').map((one) => [one.kind, one]))(
  'shows every field of a %s that somebody wrote',
  async (kind, { scope }) => {
    const { base, flips, named } = kindExamples[kind]!
    const name = named?.('x') ?? 'x'
    const values = Object.entries(flips).flatMap(([, pair]) => pair)
    for (const one of [base, ...values.map((value) => ({ ...base, ...value }))]) {
      put(kind, name, one, scope === 'project' ? { project: 'web' } : {})
      const text = await described(`${kind.toLowerCase()}/${name}`)
      expect(text).not.toMatch(/undefined|\[object|NaN/)
      // What a secret holds is not shown, and the prompts of a project are told by its status.
      if (kind !== 'Secret' && kind !== 'Project') for (const leaf of leavesOf(one)) expect(text).toContain(leaf)
    }
  },
)

/** Texts of a spec that a person wrote: words and the lines of texts, without switches, numbers and what a link is made of. */
function leavesOf(value: unknown): string[] {
  if (typeof value === 'string') return value.split('\n').map((line) => line.trim())
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(leavesOf)
}

test('a request shows what it would replace, what changes, and how it goes on', async () => {
  put('Prompt', 'greet', { content: 'Say hello.\nBe kind.' }, { project: 'web' })
  put('PromptRequest', 'greet', { content: 'Say hi.\nBe kind.', reason: 'shorter' }, { project: 'web' }, { state: 'open', replaces: true })
  const text = await described('promptrequest/greet')
  expect(text).toMatch(/State: +open\n +Reason: +shorter\n +Replaces: +prompt\/greet/)
  expect(text).toContain('-Say hello.\n  +Say hi.\n   Be kind.')
  expect(text).toContain('mcpg-ctl approve promptrequest greet -p web')
})

test('a template shows its parameters, who was made from it, and the command that makes one', async () => {
  const parameters = [
    { name: 'root', type: 'string', description: 'Where' },
    { name: 'level', type: 'string', enum: ['low', 'high'], default: 'low' },
  ]
  put('Template', 'files', {
    versions: [
      { version: '1', server: { command: 'x' } },
      { version: '2', parameters, server: { command: '{{root}}' } },
    ],
  })
  put('Server', 'mine', { command: 'x' }, { annotations: { 'mcpg.dev/template': 'files:1' } })
  const text = await described('template/files')
  expect(text).toMatch(/Newest: +2\n +Versions: +1, 2/)
  expect(text).toMatch(/root +string +\(must be given\) +Where\n +level +low \| high +low/)
  expect(text).toMatch(/server\/mine +version 1/)
  expect(text).toContain('mcpg-ctl create server <name> --from-template files --param root=<string>')
})

test('models and pipelines say who names them', async () => {
  put('Llm', 'small', { type: 'ollama', model: 'm' })
  put('ProxyModel', 'pipe', { stages: [{ type: 'paginate', options: { lines: 40 } }], llm: 'small' })
  expect(await described('llm/small')).toMatch(/API key: +none\n[\s\S]*proxymodel\/pipe +model of its stages/)
  expect(await described('proxymodel/pipe')).toMatch(/1 +paginate +lines=40\n[\s\S]*Used by:\n +no project/)
  put('Project', 'web', { proxyModel: 'pipe', llm: { name: 'small' } })
  expect(await described('llm/small')).toMatch(/project\/web +model\n/)
  expect(await described('proxymodel/pipe')).toMatch(/project\/web +pipeline/)
})

test('who may do what is told by rights, places and ways', async () => {
  put('Role', 'ops', { rules: [{ verbs: ['edit'], kinds: ['servers'], names: ['a'] }, { operations: ['logs'] }] })
  put('RoleBinding', 'b', {
    role: 'ops',
    subjects: [{ kind: 'ServiceAccount', name: 'bot' }],
    workspace: 'default',
    project: 'web',
  })
  put('ServiceAccount', 'bot', { description: 'CI' })
  expect(await described('role/ops')).toMatch(/edit +servers +a\n +logs\n[\s\S]*rolebinding\/b +for serviceaccount\/bot/)
  expect(await described('rolebinding/b')).toMatch(
    /Counts in: +project web of default\n[\s\S]*ServiceAccount +bot\n[\s\S]*edit +servers +a/,
  )
  expect(await described('serviceaccount/bot')).toMatch(/rolebinding\/b +role ops\n[\s\S]*token create <name> --service-account bot/)
  const access = [{ binding: 'b', role: 'viewer', workspace: 'default', through: ['all'] }]
  put('Group', 'team', { members: ['ann@example.com'] }, {}, { people: 3, within: ['all'], access })
  expect(await described('group/team')).toMatch(
    /People: +3[\s\S]*Belongs to: +group\/all[\s\S]*viewer +workspace default +rolebinding\/b +group\/all/,
  )
})

test('a token says what it may do, and how it ends', async () => {
  const grants = [{ place: { org: 'default', workspace: 'default', project: 'web' }, verbs: ['run'], on: 'servers' }]
  put('McpToken', 'ide', { grants, expiresAt: '2000-01-01T00:00:00.000Z' }, { project: 'web' }, { state: 'expired', createdBy: 'ann' })
  expect(await described('mcptoken/ide')).toMatch(/State: +expired[\s\S]*Made by: +ann[\s\S]*run +servers +project web of default/)
  put('McpToken', 'all', {}, { project: 'web' }, { state: 'active', createdBy: 'ann' })
  expect(await described('mcptoken/all')).toMatch(/Expires: +never[\s\S]*all that its owner may do[\s\S]*token revoke all -p web/)
})
