import type { Place, Verb } from '@mcpg/proto/access'
import { McpgError } from '@mcpg/proto/errors'
import type { Metadata } from '@mcpg/proto/kinds/kind'
import type { Caller } from './caller.ts'

type Located = Pick<Metadata, 'org' | 'workspace' | 'environment' | 'project' | 'name'>

/** Whether the caller may do this to objects of a kind, each asked for where it lives. Places are looked at once. */
export function allowedOn(caller: Pick<Caller, 'visible'>, verb: Verb, on: string): (object: Located) => boolean {
  const known = new Map<string, 'all' | ReadonlySet<string>>()
  return ({ org, workspace, environment, project, name }) => {
    const key = `${org}/${workspace}/${environment}/${project}`
    let names = known.get(key)
    if (names === undefined) {
      const found = caller.visible(verb, on, { org, workspace, environment, project })
      known.set(key, (names = found === 'all' ? found : new Set(found)))
    }
    return names === 'all' || names.has(name)
  }
}

/** Throws forbidden for whoever has no right in a workspace or an organization, before anybody looks whether there is one. */
export function refuseStranger(caller: Pick<Caller, 'subject' | 'can'>, { org, workspace }: Place & { org: string }): void {
  const isKnown =
    workspace === undefined
      ? caller.can({ verb: 'view', on: 'orgs' }, {}, org)
      : caller.can({ verb: 'view', on: 'workspaces' }, { org }, workspace)
  if (isKnown) return
  throw new McpgError(
    'forbidden',
    'not_allowed',
    `${caller.subject} may do nothing in ${workspace === undefined ? org : `${org}/${workspace}`}.`,
    {
      hint: 'mcpg-ctl can-i --list',
    },
  )
}
