import type { ConfigCause } from '@mcpg/proto/rest/gateways'

/** What led to a config, as one line: `server.update server/github by local, 2 more`. */
export function causeWords(cause: ConfigCause | undefined): string {
  if (!cause) return ''
  const by = cause.by ? ` by ${cause.by}` : ''
  switch (cause.why) {
    case 'rollback':
      return `Rolled back to ${cause.to ?? 'an older one'}${by}`
    case 'resume':
      return `Resumed${by}`
    case 'renumbered':
      return 'The same config under a new number'
    case 'start':
      return 'The control plane started'
    case 'refusal':
      return `Held back after a refusal: ${objectsOf(cause)}`
    default:
      return objectsOf(cause) || 'A change'
  }
}

function objectsOf({ actions, more }: ConfigCause): string {
  const named = actions.map(({ action, object, by }) => `${verbOf(action)}${object}${by ? ` by ${by}` : ''}`)
  return [...named, ...(more > 0 ? [`${more} more`] : [])].join(', ')
}

/** `server.update` → `update `: the object says what it is. A hold is no verb of anybody. */
function verbOf(action: string): string {
  const verb = action.split('.').at(-1) ?? ''
  return verb === '' || verb === 'hold' ? '' : `${verb} `
}
