import { verbs as allVerbs, type Access, type Place, type Verb } from './access.ts'

/** Rights that belong to no kind. */
export const operations = [
  'backup',
  'restore',
  'logs',
  'impersonate',
  'migrate-secrets',
  'audit-view',
  'audit-purge',
  'reveal-secrets',
  'provision',
  'quotas',
  'cluster-admin',
  'metrics',
  'control',
] as const
export type Operation = (typeof operations)[number]

/** Those that are about the installation, whatever organization somebody looks at. */
export const operationsOfInstallation: readonly string[] = [
  'backup',
  'restore',
  'logs',
  'migrate-secrets',
  'cluster-admin',
  'metrics',
  'control',
] satisfies Operation[]

/**
 * One right, at a place and everything below it: verbs on the objects of a kind (its plural, or `*`), optionally only on those with these
 * names, or operations (`*`: every one).
 */
export type Grant =
  | { place: Place; verbs: readonly Verb[]; on: string; names?: readonly string[] }
  | { place: Place; operations: readonly string[] }

/** Every right everywhere: who needs no sign-in, and platform admins. */
export const everything: readonly Grant[] = [
  { place: {}, verbs: ['edit', 'run'], on: '*' },
  { place: {}, operations: ['*'] },
]

/** What holding a verb includes; `create` and `delete` alone do not let their holder look. */
const included: Record<Verb, readonly Verb[]> = {
  view: ['view'],
  create: ['create'],
  edit: ['edit', 'view', 'create', 'delete', 'expose'],
  delete: ['delete'],
  run: ['run'],
  expose: ['expose', 'view'],
}

export type Rights = {
  /** Without a name: to some object there at least. */
  can(access: Access, place: Place, name?: string): boolean
  /** Which objects of a kind that live exactly there. */
  visible(verb: Verb, on: string, place: Place): 'all' | readonly string[]
  /** Whether the verb is held on some object of the kind there or anywhere below: who may ask for a list that is filtered object by object. */
  reaches(verb: Verb, on: string, place: Place): boolean
}

/** Decides by grants; signing in is presumed, and no grant makes a gateway of anybody. */
export function readGrants(grants: readonly Grant[]): Rights {
  const byKind = new Map<string, VerbGrant[]>()
  for (const grant of grants) if ('on' in grant) byKind.set(grant.on, [...(byKind.get(grant.on) ?? []), grant])
  const about = (on: string, verb: Verb) => [...(byKind.get(on) ?? []), ...(byKind.get('*') ?? [])].filter((one) => holds(one, verb))

  return {
    can(access, place, name) {
      if (typeof access === 'string') return access !== 'gateway'
      if ('operation' in access) return grants.some((grant) => isOperation(grant, access.operation) && covers(grant.place, place))
      const { verb, on } = access
      if (about(on, verb).some((grant) => covers(grant.place, place) && (name === undefined || hasName(grant, name)))) return true
      if (opensAll(verb, on, place)) return true
      const own = ownNames(verb, on, place)
      return name === undefined ? own.length > 0 : own.includes(name)
    },
    visible(verb, on, place) {
      const here = about(on, verb).filter((grant) => covers(grant.place, place))
      if (here.some((grant) => grant.names === undefined) || opensAll(verb, on, place)) return 'all'
      return [...new Set([...here.flatMap((grant) => grant.names ?? []), ...ownNames(verb, on, place)])].sort()
    },
    reaches: (verb, on, place) =>
      opensAll(verb, on, place) ||
      ownNames(verb, on, place).length > 0 ||
      about(on, verb).some((grant) => covers(grant.place, place) || covers(place, grant.place)),
  }

  /** Whoever may do something to what lies inside of all places of a level finds all of them: there would be no way to it. */
  function opensAll(verb: Verb, on: string, place: Place): boolean {
    const level = levelOf[on]
    if (verb !== 'view' || level === undefined || level === 'project') return false
    return grants.some((grant) => 'on' in grant && covers(grant.place, place) && depthOf(grant.on) > depthOf(on))
  }

  /**
   * Places are objects too. A right at one holds for itself, but for creating it; and whoever has any right in an organization, workspace
   * or environment sees that it is there, as there would be no way to it.
   */
  function ownNames(verb: Verb, on: string, place: Place): string[] {
    const level = levelOf[on]
    if (level === undefined || verb === 'create') return []
    const isWay = verb === 'view' && level !== 'project'
    const deeper = levels.slice(levels.indexOf(level) + 1)
    const ones = isWay ? grants : about(on, verb).filter(({ place: granted }) => deeper.every((one) => granted[one] === undefined))
    return ones.flatMap((grant) => {
      const name = grant.place[level]
      return name !== undefined && covers(place, grant.place) && (isWay || hasName(grant as VerbGrant, name)) ? [name] : []
    })
  }
}

/** What two sets of grants both allow: `wanted` as far as `held` goes. */
export function within(wanted: readonly Grant[], held: readonly Grant[]): Grant[] {
  return wanted.flatMap((one) => held.flatMap((other) => common(one, other)))
}

/** What of `wanted` goes beyond `held`, so that whoever holds only that may not give it away. */
export function beyond(wanted: readonly Grant[], held: readonly Grant[]): Grant[] {
  return wanted.flatMap((grant): Grant[] => {
    if ('operations' in grant) {
      const missing = grant.operations.filter(
        (operation) => !held.some((one) => isOperation(one, operation) && covers(one.place, grant.place)),
      )
      return missing.length > 0 ? [{ place: grant.place, operations: missing }] : []
    }
    const holding = (verb: Verb) =>
      held.filter(
        (one): one is VerbGrant =>
          'on' in one && holds(one, verb) && (one.on === '*' || one.on === grant.on) && covers(one.place, grant.place),
      )
    return grant.verbs.flatMap((verb): Grant[] => {
      // Whoever holds all that a verb includes may give the verb away: three grants that make an edit together are an edit.
      const parts = included[verb].map(holding)
      if (parts.every((ones) => ones.some((one) => one.names === undefined))) return []
      if (!grant.names) return [{ ...grant, verbs: [verb] }]
      const lacking = grant.names.filter((name) => !parts.every((ones) => ones.some((one) => hasName(one, name))))
      return lacking.length > 0 ? [{ ...grant, verbs: [verb], names: lacking }] : []
    })
  })
}

type VerbGrant = Extract<Grant, { on: string }>

const levels = ['org', 'workspace', 'environment', 'project'] as const

/** Whether the one place is the other or above it; the installation is above everything. */
export function covers(above: Place, place: Place): boolean {
  return levels.every((level) => above[level] === undefined || above[level] === place[level])
}

const holds = (grant: VerbGrant, verb: Verb): boolean => grant.verbs.some((one) => included[one].includes(verb))
const hasName = (grant: VerbGrant, name: string): boolean => grant.names === undefined || grant.names.includes(name)
const isOperation = (grant: Grant, operation: string): boolean =>
  'operations' in grant && (grant.operations.includes(operation) || grant.operations.includes('*'))

const levelOf: Record<string, (typeof levels)[number]> = {
  orgs: 'org',
  workspaces: 'workspace',
  environments: 'environment',
  projects: 'project',
}

/** Kinds that live at the organization, beside its workspaces. */
const ofOrg = ['audit', 'users', 'groups', 'roles', 'rolebindings', 'serviceaccounts']

function depthOf(on: string): number {
  const depth = ['orgs', 'workspaces', 'environments'].indexOf(on)
  if (depth >= 0) return depth
  return ofOrg.includes(on) ? 1 : 3
}

function common(one: Grant, other: Grant): Grant[] {
  const place = covers(one.place, other.place) ? other.place : covers(other.place, one.place) ? one.place : null
  if (!place) return []
  if ('operations' in one || 'operations' in other) {
    if (!('operations' in one && 'operations' in other)) return []
    const shared = operations.filter((operation) => isOperation(one, operation) && isOperation(other, operation))
    return shared.length > 0 ? [{ place, operations: shared }] : []
  }
  if (one.on !== other.on && one.on !== '*' && other.on !== '*') return []
  const shared = allVerbs.filter((verb) => holds(one, verb) && holds(other, verb))
  const verbs = shared.filter((verb) => !shared.some((wider) => wider !== verb && included[wider].includes(verb)))
  const names = one.names && other.names ? one.names.filter((name) => other.names?.includes(name)) : (one.names ?? other.names)
  if (verbs.length === 0 || names?.length === 0) return []
  return [{ place, verbs, on: one.on === '*' ? other.on : one.on, ...(names && { names }) }]
}
