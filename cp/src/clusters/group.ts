/**
 * Every replica of a managed gateway is a gateway of its own, whose instance uid is that of the managed gateway and a number. One that was
 * made alone has the uid itself, and keeps it as the first of several; the first of several keeps its number when it is alone.
 */

/** As many replicas as it can have: where it scales by load, more than it begins with. */
export const mostReplicas = ({ replicas, maxReplicas = replicas }: { replicas: number; maxReplicas?: number | undefined }): number =>
  Math.max(replicas, maxReplicas)

export const replicaUid = (instanceUid: string, ordinal: number): string => `${instanceUid}-${ordinal}`

/** The managed gateway that a replica of this uid would be of, and its number; null where it can be none. */
export function groupOf(uid: string): { instanceUid: string; ordinal: number } | null {
  const [, group, ordinal] = /^(.+-[0-9a-f]{6})-(0|[1-9]\d?)$/.exec(uid) ?? []
  return group === undefined ? null : { instanceUid: group, ordinal: Number(ordinal) }
}

/** Which replica of the managed gateway has, or had, this uid; null for none. */
export function ordinalOf(uid: string, instanceUid: string): number | null {
  if (uid === instanceUid) return 0
  const group = groupOf(uid)
  return group?.instanceUid === instanceUid ? group.ordinal : null
}

export const isMember = (uid: string, instanceUid: string): boolean => ordinalOf(uid, instanceUid) !== null

/** Selects all of one managed gateway, and says on each which it is of. */
export const groupLabel = 'mcpg.dev/group'
