/** Several replicas of a managed gateway are a group: each is a gateway of its own, whose instance uid is that of the group and a number. */

/** Instance uids of what the gateway has, in order. */
export const membersOf = ({ instanceUid, replicas }: { instanceUid: string; replicas: number }): string[] =>
  replicas === 1 ? [instanceUid] : Array.from({ length: replicas }, (_, ordinal) => `${instanceUid}-${ordinal}`)

/** The group that a member of this uid would be of, and its number; null where it can be none. */
export function groupOf(instanceUid: string): { instanceUid: string; ordinal: number } | null {
  const [, group, ordinal] = /^(.+-[0-9a-f]{6})-(0|[1-9]\d?)$/.exec(instanceUid) ?? []
  return group === undefined ? null : { instanceUid: group, ordinal: Number(ordinal) }
}

/** Whether a gateway of this uid is, or was, one of the managed gateway's. */
export const isMember = (uid: string, instanceUid: string): boolean => uid === instanceUid || groupOf(uid)?.instanceUid === instanceUid

/** Selects all of one group, and says on each which it is of. */
export const groupLabel = 'mcpg.dev/group'
