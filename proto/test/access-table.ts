import type { Verb } from '../src/access.ts'

/**
 * Who may do what, written down by hand and not computed: the probes of the REST surface and of MCP ask every cell of it. `here` is the
 * workspace default/default, `environment` its environment default, `project` its project home, `beside` another workspace of the
 * organization, `org` the organization itself, `elsewhere` a workspace of another one, `other` that organization, and `installation`
 * everything.
 */
export const wheres = ['here', 'environment', 'project', 'beside', 'org', 'elsewhere', 'other', 'installation'] as const
export type Where = (typeof wheres)[number]
/** What is said of the workspace holds in it. */
const inside: Partial<Record<Where, Where>> = { environment: 'here', project: 'here' }

/** What may stand behind a verb. A plural that no group has makes the probe fail. */
export const groups = {
  work: [
    'servers',
    'secrets',
    'secretbackends',
    'templates',
    'llms',
    'proxymodels',
    'projects',
    'prompts',
    'promptrequests',
    'gateways',
    'instances',
    'tools',
    'enrollments',
    'events',
    'serverattachments',
  ],
  people: ['users', 'groups', 'roles', 'rolebindings', 'serviceaccounts'],
  tokens: ['tokens'],
  audit: ['audit'],
  places: ['orgs', 'workspaces', 'environments'],
} as const
export type Group = keyof typeof groups

export const allVerbs: readonly Verb[] = ['view', 'create', 'edit', 'delete', 'run', 'expose']
const everything = allVerbs.join(' ')

/** Kinds that lie in an environment, or in a project. */
export const kindsIn = {
  environment: ['gateways', 'instances', 'tools', 'enrollments', 'events'],
  project: ['prompts', 'promptrequests', 'serverattachments', 'tokens'],
} as const

/** Paths of an endpoint with two servers, alpha and beta, and a project home that has alpha. */
export const mcpPaths = { everything: '', alpha: '/servers/alpha', beta: '/servers/beta', home: '/projects/home' } as const
export type McpPath = keyof typeof mcpPaths
/** What a server offers: two tools, and one each of whatever goes with the whole server. */
export const mcpParts = ['alpha.read', 'alpha.write', 'alpha.others', 'beta.read', 'beta.write', 'beta.others'] as const
export type McpPart = (typeof mcpParts)[number]

/**
 * What a method of MCP is about: the path as such, tools, or what goes with a whole server. A method that endpoints answer and that is
 * missing here makes the probe fail, as does one that none answers.
 */
export const mcpMethods: Record<string, 'path' | 'tools' | 'others'> = {
  initialize: 'path',
  'server/discover': 'path',
  ping: 'path',
  'logging/setLevel': 'path',
  'tools/list': 'tools',
  'tools/call': 'tools',
  'prompts/list': 'others',
  'prompts/get': 'others',
  'resources/list': 'others',
  'resources/templates/list': 'others',
  'resources/read': 'others',
  'resources/subscribe': 'others',
  // It tells nothing: whatever is named is not watched afterwards.
  'resources/unsubscribe': 'path',
  'completion/complete': 'others',
  'subscriptions/listen': 'others',
}

/**
 * How a caller comes to what they may do: a role, where it is bound, and what it allows by group or by plural; `operations`: all or none.
 * `mcp` is what they find at a path of MCP, whichever way they come: parts, or servers with all of them; a path that is missing is not
 * there for them.
 */
export type Row = {
  role?: { name: string; place?: { workspace?: string; environment?: string; project?: string }; org?: string; rules?: object[] }
  may: Partial<Record<Where, Partial<Record<Group | 'operations', string>> & { only?: Record<string, string> }>>
  mcp?: Partial<Record<McpPath, string>>
}

/** The same for each of these kinds. */
const all = (verbs: string, ons: readonly string[]) => ({ only: Object.fromEntries(ons.map((on) => [on, verbs])) })
const allOfMcp = { everything: 'alpha beta', alpha: 'alpha', beta: 'beta', home: 'alpha' }
const everythingAt = { work: everything, tokens: everything, people: everything, audit: everything, operations: 'all' }

export const accessTable: Record<string, Row> = {
  nobody: { may: {} },
  viewer: { role: { name: 'viewer', place: { workspace: 'default' } }, may: { here: { work: 'view', tokens: 'view' } } },
  editor: {
    role: { name: 'editor', place: { workspace: 'default' } },
    may: { here: { work: everything, tokens: everything } },
    mcp: allOfMcp,
  },
  runner: {
    role: { name: 'runner', place: { workspace: 'default' } },
    may: { here: { only: { servers: 'view run', projects: 'view run', tools: 'view run', prompts: 'view' } } },
    mcp: allOfMcp,
  },
  'org-viewer': {
    role: { name: 'viewer' },
    may: { here: { work: 'view', tokens: 'view' }, beside: { work: 'view', tokens: 'view' }, org: { tokens: 'view' } },
  },
  'workspace-admin': {
    role: { name: 'admin', place: { workspace: 'default' } },
    may: { here: everythingAt },
    mcp: allOfMcp,
  },
  'org-admin': { role: { name: 'admin' }, may: { here: everythingAt, beside: everythingAt, org: everythingAt }, mcp: allOfMcp },
  outsider: { role: { name: 'admin', org: 'acme' }, may: { elsewhere: everythingAt, other: everythingAt } },
  creator: {
    role: { name: 'creator', place: { workspace: 'default' }, rules: [{ verbs: ['create'], kinds: ['servers'] }] },
    may: { here: { only: { servers: 'create' } } },
  },
  auditor: {
    role: { name: 'auditor', rules: [{ verbs: ['view'], kinds: ['audit'] }] },
    may: { org: { audit: 'view' } },
  },
  'environment-editor': {
    role: { name: 'editor', place: { workspace: 'default', environment: 'default' } },
    may: { environment: all(everything, kindsIn.environment) },
    mcp: allOfMcp,
  },
  'editor-of-another-environment': { role: { name: 'editor', place: { workspace: 'default', environment: 'edge' } }, may: {} },
  'project-editor': {
    role: { name: 'editor', place: { workspace: 'default', project: 'home' } },
    // A right at a project holds for the project itself, but for making one.
    may: { here: { only: { projects: 'view edit delete run expose' } }, project: all(everything, kindsIn.project) },
    mcp: { home: 'alpha' },
  },
  'runner-of-a-server': {
    role: {
      name: 'of-a-server',
      place: { workspace: 'default' },
      rules: [{ verbs: ['run'], kinds: ['servers'], names: ['alpha'] }],
    },
    may: { here: { only: { servers: 'run' } } },
    mcp: { everything: 'alpha', alpha: 'alpha', home: 'alpha' },
  },
  'runner-of-a-tool': {
    role: {
      name: 'of-a-tool',
      place: { workspace: 'default' },
      rules: [{ verbs: ['run'], kinds: ['tools'], names: ['alpha__read'] }],
    },
    may: { here: { only: { tools: 'run' } } },
    mcp: { everything: 'alpha.read', alpha: 'alpha.read', home: 'alpha.read' },
  },
  'runner-of-tools': {
    role: { name: 'of-tools', place: { workspace: 'default' }, rules: [{ verbs: ['run'], kinds: ['tools'] }] },
    may: { here: { only: { tools: 'run' } } },
    mcp: {
      everything: 'alpha.read alpha.write beta.read beta.write',
      alpha: 'alpha.read alpha.write',
      beta: 'beta.read beta.write',
      home: 'alpha.read alpha.write',
    },
  },
  'runner-of-a-project': {
    role: {
      name: 'of-a-project',
      place: { workspace: 'default' },
      rules: [{ verbs: ['run'], kinds: ['projects'], names: ['home'] }],
    },
    may: { here: { only: { projects: 'run' } } },
    mcp: { home: 'alpha' },
  },
}

/** What the table says that somebody finds at a path of MCP. */
export function finds({ mcp }: Row, path: McpPath): ReadonlySet<McpPart> {
  const words = (mcp?.[path] ?? '').split(' ')
  return new Set(mcpParts.filter((part) => words.includes(part) || words.includes(part.split('.')[0]!)))
}

/** Whether the table says yes. */
export function says(row: Row, where: Where, verb: Verb, on: string): boolean {
  const above = inside[where]
  if (above !== undefined && says(row, above, verb, on)) return true
  const cell = row.may[where]
  const group = (Object.keys(groups) as Group[]).find((one) => (groups[one] as readonly string[]).includes(on))
  if (group === undefined) throw new Error(`${on} is in no group of the table`)
  const verbs = cell?.only?.[on] ?? cell?.[group] ?? ''
  return verbs.split(' ').includes(verb)
}

/** Operations of which the cells of MCP tell more than one right does. */
export const mcpOperations: readonly string[] = ['callServer', 'callProject', 'callGateway']

/** Operations that ask no right of the route, and what decides then. One that is missing here makes the probe fail. */
export const decidedByService: Record<string, string> = {
  apply: 'every object of the request needs a right of its own',
  applyToOrg: 'every object of the request needs a right of its own',
  watch: 'events are filtered one by one, and a stranger is refused',
  canI: 'it is about the caller',
  rights: 'it is about the caller',
  whoMay: 'view on rolebindings, of the organization that is asked for',
  me: 'it is about the caller',
  logout: 'it is about the caller',
  changePassword: 'it is about the caller',
  impersonate: 'the operation impersonate, of the organization that is asked for',
  endImpersonation: 'it is about the caller',
  openapi: 'every caller may read what there is to call',
  createToken: 'of oneself, and never above what one may do',
  listTokens: 'those of oneself, and those that one may view',
  getToken: 'one of oneself, or view on tokens',
  revokeToken: 'one of oneself, or delete on tokens',
  deleteToken: 'one of oneself, or delete on tokens',
  introspectToken: 'the token itself is the proof',
  listClusters: 'whoever may provision somewhere may see where',
  clusterHealth: 'whoever may provision somewhere may see where',
  getCluster: 'whoever may provision somewhere may see where',
  getQuotas: 'whoever may provision somewhere in the organization sees what it may take',
  getOperation: 'view on the gateway that it is about',
  followOperation: 'view on the gateway that it is about',
  cancelOperation: 'view on the gateway that it is about, and the operation provision there',
}

/** RPCs that ask for no credential, and what decides then. Every other one is refused without. */
export const openRpcs: Record<string, string> = {
  'EnrollmentService.beginRecovery': 'whoever recovers has no valid certificate',
  'EnrollmentService.completeRecovery': 'the answer to a challenge is the proof',
}
