import type { Verb } from '../src/access.ts'

/**
 * Who may do what, written down by hand and not computed: the probe of the REST surface asks every cell of it. `here` is the workspace
 * default/default, `beside` another workspace of the organization, `org` the organization itself, `elsewhere` a workspace of another
 * one, `other` that organization, and `installation` everything.
 */
export const wheres = ['here', 'beside', 'org', 'elsewhere', 'other', 'installation'] as const
export type Where = (typeof wheres)[number]

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

/** How a caller comes to what they may do: a role, where it is bound, and what it allows by group or by plural; `operations`: all or none. */
export type Row = {
  role?: { name: string; place?: { workspace?: string }; org?: string; rules?: object[] }
  may: Partial<Record<Where, Partial<Record<Group | 'operations', string>> & { only?: Record<string, string> }>>
}

const everythingAt = { work: everything, tokens: everything, people: everything, audit: everything, operations: 'all' }

export const accessTable: Record<string, Row> = {
  nobody: { may: {} },
  viewer: { role: { name: 'viewer', place: { workspace: 'default' } }, may: { here: { work: 'view', tokens: 'view' } } },
  editor: { role: { name: 'editor', place: { workspace: 'default' } }, may: { here: { work: everything, tokens: everything } } },
  runner: {
    role: { name: 'runner', place: { workspace: 'default' } },
    may: { here: { only: { servers: 'view run', projects: 'view run', tools: 'view run', prompts: 'view' } } },
  },
  'org-viewer': {
    role: { name: 'viewer' },
    may: { here: { work: 'view', tokens: 'view' }, beside: { work: 'view', tokens: 'view' }, org: { tokens: 'view' } },
  },
  'workspace-admin': {
    role: { name: 'admin', place: { workspace: 'default' } },
    may: { here: everythingAt },
  },
  'org-admin': { role: { name: 'admin' }, may: { here: everythingAt, beside: everythingAt, org: everythingAt } },
  outsider: { role: { name: 'admin', org: 'acme' }, may: { elsewhere: everythingAt, other: everythingAt } },
  creator: {
    role: { name: 'creator', place: { workspace: 'default' }, rules: [{ verbs: ['create'], kinds: ['servers'] }] },
    may: { here: { only: { servers: 'create' } } },
  },
  auditor: {
    role: { name: 'auditor', rules: [{ verbs: ['view'], kinds: ['audit'] }] },
    may: { org: { audit: 'view' } },
  },
}

/** Whether the table says yes. */
export function says({ may }: Row, where: Where, verb: Verb, on: string): boolean {
  const cell = may[where]
  const group = (Object.keys(groups) as Group[]).find((one) => (groups[one] as readonly string[]).includes(on))
  if (group === undefined) throw new Error(`${on} is in no group of the table`)
  const verbs = cell?.only?.[on] ?? cell?.[group] ?? ''
  return verbs.split(' ').includes(verb)
}

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
}

/** RPCs that ask for no credential, and what decides then. Every other one is refused without. */
export const openRpcs: Record<string, string> = {
  'EnrollmentService.beginRecovery': 'whoever recovers has no valid certificate',
  'EnrollmentService.completeRecovery': 'the answer to a challenge is the proof',
}
