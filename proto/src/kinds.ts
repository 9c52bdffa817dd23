import { enrollmentKind } from './kinds/enrollment.ts'
import { eventKind } from './kinds/event.ts'
import { gatewayKind } from './kinds/gateway.ts'
import { instanceKind } from './kinds/instance.ts'
import type { KindDeclaration } from './kinds/kind.ts'
import { secretKind } from './kinds/secret.ts'
import { serverKind } from './kinds/server.ts'
import { toolKind } from './kinds/tool.ts'

/** Every kind there is, in the order in which `apply` writes them. */
export const kinds: readonly KindDeclaration[] = [secretKind, serverKind, gatewayKind, instanceKind, toolKind, enrollmentKind, eventKind]

/** Finds a kind by kind, plural or alias, in any case. */
export function findKind(word: string): KindDeclaration | undefined {
  const wanted = word.toLowerCase()
  return kinds.find((one) => one.kind.toLowerCase() === wanted || one.plural === wanted || one.aliases.includes(wanted))
}
