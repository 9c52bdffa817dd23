import type { Place } from '@mcpg/proto/access'
import type { Grant } from '@mcpg/proto/grants'

/** A right in words: `edit on servers (files) in default/default`. */
export function grantText(grant: Grant): string {
  if ('operations' in grant) return `${grant.operations.join(', ')} in ${placeText(grant.place)}`
  const { verbs, on, names } = grant
  return `${verbs.join(', ')} on ${on === '*' ? 'every kind' : on}${names ? ` (${names.join(', ')})` : ''} in ${placeText(grant.place)}`
}

function placeText({ org, workspace, environment, project }: Place): string {
  if (org === undefined) return 'the installation'
  const deeper = [workspace, environment && `environment ${environment}`, project && `project ${project}`]
  return [org, ...deeper].filter((part) => part !== undefined).join('/')
}
