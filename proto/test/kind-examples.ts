/**
 * What every stored kind must do, from its declaration. A kind without an entry here fails: `base` is a valid spec, `flips` two
 * different valid specs for every field it has, which differ in this field alone.
 */
export type KindExample = {
  base: object
  flips: Record<string, [object, object]>
  /** What is answered where that is not what was written. */
  shown?: (spec: object) => object
  /** A name that the kind takes, made of a word; the word itself where nothing is said. */
  named?: (word: string) => string
  /** Fields that cannot be left out. */
  required?: string[]
}
export const kindExamples: Record<string, KindExample> = {
  User: {
    base: {},
    flips: {
      displayName: [{ displayName: 'Ada' }, { displayName: 'Ada L.' }],
      platformAdmin: [{ platformAdmin: true }, { platformAdmin: false }],
    },
    named: (word) => `${word}@example.com`,
  },
  Group: {
    base: { members: ['ada@example.com'] },
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      members: [{ members: ['ada@example.com'] }, { members: ['eve@example.com', 'bob@example.com'] }],
      groups: [{ groups: ['referred-to'] }, { groups: ['another', 'referred-to'] }],
      serviceAccounts: [{ serviceAccounts: ['referred-to'] }, { serviceAccounts: ['referred-to', 'another'] }],
      claims: [{ claims: ['dev'] }, { claims: ['dev', 'ops team'] }],
    },
    required: ['members'],
  },
  Role: {
    base: { rules: [{ verbs: ['view'], kinds: ['servers'] }] },
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      rules: [
        { rules: [{ verbs: ['edit', 'run'], kinds: ['servers', 'projects'], names: ['files'] }] },
        { rules: [{ verbs: ['view'], kinds: ['*'] }, { operations: ['reveal-secrets', 'logs'] }] },
      ],
    },
    required: ['rules'],
  },
  RoleBinding: {
    base: { role: 'viewer', subjects: [{ kind: 'User', name: 'ada@example.com' }], workspace: 'default' },
    flips: {
      role: [{ role: 'editor' }, { role: 'referred-to' }],
      subjects: [
        { subjects: [{ kind: 'Group', name: 'referred-to' }] },
        {
          subjects: [
            { kind: 'ServiceAccount', name: 'referred-to' },
            { kind: 'User', name: 'eve@example.com' },
          ],
        },
      ],
      workspace: [{ workspace: 'default' }, { workspace: 'other' }],
      environment: [{ environment: 'default' }, { environment: 'other' }],
      project: [{ project: 'home' }, { project: 'other' }],
    },
    required: ['role', 'subjects', 'workspace'],
  },
  ServiceAccount: {
    base: {},
    flips: { description: [{ description: 'a' }, { description: 'b' }] },
  },
  Prompt: {
    base: { content: 'x' },
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      content: [{ content: 'a' }, { content: 'b' }],
      link: [{ link: 'p/s:file:///x' }, { link: 'p/s:file:///y' }],
      priority: [{ priority: 1 }, { priority: 10 }],
    },
    required: ['content'],
  },
  PromptRequest: {
    base: { content: 'x' },
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      content: [{ content: 'a' }, { content: 'b' }],
      link: [{ link: 'p/s:file:///x' }, { link: 'p/s:file:///y' }],
      priority: [{ priority: 1 }, { priority: 10 }],
      reason: [{ reason: 'a' }, { reason: 'b' }],
    },
    required: ['content'],
  },
  SecretBackend: {
    base: {},
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      type: [{}, { type: 'built-in' }],
      // Of those that say true there may be one.
      default: [{}, { default: false }],
    },
  },
  Secret: {
    base: { data: { password: 'planted-1' } },
    flips: { data: [{ data: { password: 'planted-1', token: 'planted-2' } }, { data: { token: 'planted-3' } }] },
    shown: (spec) => ({ data: Object.fromEntries(Object.keys((spec as { data: object }).data).map((key) => [key, { keep: true }])) }),
    required: ['data'],
  },
  Llm: {
    base: { type: 'anthropic', model: 'small' },
    flips: {
      type: [{ type: 'openai' }, { type: 'ollama' }],
      model: [{ model: 'small' }, { model: 'big' }],
      tier: [{ tier: 'fast' }, { tier: 'heavy' }],
      url: [{ url: 'https://a.example/v1' }, { url: 'http://127.0.0.1:11434' }],
      apiKeyRef: [{ apiKeyRef: { name: 'referred-to', key: 'token' } }, { apiKeyRef: { name: 'referred-to', key: 'other' } }],
      description: [{ description: 'a' }, { description: 'b' }],
      extra: [{ extra: { temperature: 0.5 } }, { extra: { stream: true, region: 'eu' } }],
    },
    required: ['type', 'model'],
  },
  ProxyModel: {
    base: { stages: [{ type: 'passthrough' }] },
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      stages: [
        { stages: [{ type: 'paginate' }] },
        { stages: [{ type: 'paginate', options: { bytes: 8192 } }, { type: 'summarize-tree' }] },
      ],
      llm: [{ llm: 'referred-to' }, { llm: 'other' }],
    },
    required: ['stages'],
  },
  Template: {
    base: { versions: [{ version: '1', server: { command: ['x'] } }] },
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      versions: [
        { versions: [{ version: '2', server: { command: ['x'] } }] },
        {
          versions: [
            {
              version: '2',
              parameters: [{ name: 'port', type: 'integer', description: 'Where', default: 1 }],
              server: { command: ['x', '{{port}}'] },
            },
          ],
        },
      ],
    },
    required: ['versions'],
  },
  Project: {
    base: { servers: ['served'] },
    flips: {
      description: [{ description: 'a' }, { description: 'b' }],
      servers: [{ servers: ['served', 'referred-to'] }, { servers: [] }],
      serverOverrides: [
        { serverOverrides: { served: { tools: { deny: ['a'] } } } },
        { serverOverrides: { served: { instructions: 'Only read.' } } },
      ],
      tools: [{ tools: { allow: ['served__*'] } }, { tools: { deny: ['*__delete'] } }],
      instructions: [{ instructions: 'a' }, { instructions: 'b' }],
      prompt: [{ prompt: 'a' }, { prompt: 'b' }],
      prompts: [
        { prompts: [{ name: 'a', content: 'x' }] },
        { prompts: [{ name: 'a', description: 'd', link: 'p/s:file:///x', priority: 10 }] },
      ],
      gated: [{ gated: true }, { gated: false }],
      proxyModel: [{ proxyModel: 'default' }, { proxyModel: 'gate' }],
      llm: [{ llm: { name: 'a' } }, { llm: { name: 'a', model: 'small' } }],
    },
    // The base has some, for the overrides.
    required: ['servers'],
  },
  Server: {
    base: { command: ['node', 'server.js'] },
    flips: {
      command: [{ command: ['node', 'a.js'] }, { command: 'node a.js' }],
      package: [
        { package: { runtime: 'node', name: 'a' } },
        { package: { runtime: 'python', name: 'b', version: '1.0.0', args: ['-v'], allowScripts: true } },
      ],
      url: [
        { url: { url: 'https://a.example/mcp' } },
        { url: { url: 'https://b.example/mcp', transport: 'streamable-http', headers: [{ name: 'X-A', value: '1' }] } },
      ],
      env: [
        { env: [{ name: 'A', value: '1' }] },
        { env: [{ name: 'A', valueFrom: { secretRef: { name: 'referred-to', key: 'token' } } }] },
      ],
      inheritEnv: [{ inheritEnv: ['PATH'] }, { inheritEnv: ['PATH', 'HOME'] }],
      cwd: [{ cwd: '/a' }, { cwd: '/b' }],
      era: [{ era: 'auto' }, { era: 'legacy' }],
      placement: [{ placement: { environments: ['a'] } }, { placement: { gatewaySelector: { role: 'edge' } } }],
      sessions: [{ sessions: 'shared' }, { sessions: 'session' }],
      maxSessions: [{ maxSessions: 1 }, { maxSessions: 256 }],
      forward: [{ forward: [] }, { forward: ['roots', 'sampling'] }],
      state: [{ state: 'running' }, { state: 'stopped' }],
      required: [{ required: true }, { required: false }],
      auditLevel: [{ auditLevel: 'hash-only' }, { auditLevel: 'disabled' }],
      startTimeout: [{ startTimeout: '60s' }, { startTimeout: '1m' }],
      callTimeout: [{ callTimeout: '60s' }, { callTimeout: '30s' }],
      stopGrace: [{ stopGrace: '5s' }, { stopGrace: '500ms' }],
    },
  },
}

/** Objects that the examples refer to, and the project that objects of projects live in. */
export const referredTo = [
  { kind: 'ServiceAccount', metadata: { name: 'referred-to' }, spec: {} },
  { kind: 'ServiceAccount', metadata: { name: 'another' }, spec: {} },
  { kind: 'Group', metadata: { name: 'referred-to' }, spec: {} },
  { kind: 'Group', metadata: { name: 'another' }, spec: {} },
  { kind: 'Role', metadata: { name: 'referred-to' }, spec: { rules: [{ operations: ['logs'] }] } },
  { kind: 'Secret', metadata: { name: 'referred-to' }, spec: { data: { token: 'planted-0', other: 'planted-4' } } },
  { kind: 'Llm', metadata: { name: 'referred-to' }, spec: { type: 'ollama', model: 'a' } },
  { kind: 'Llm', metadata: { name: 'other' }, spec: { type: 'ollama', model: 'b' } },
  { kind: 'Server', metadata: { name: 'served' }, spec: { command: ['x'] } },
  { kind: 'Server', metadata: { name: 'referred-to' }, spec: { command: ['x'] } },
  { kind: 'Project', metadata: { name: 'home' }, spec: {} },
]
