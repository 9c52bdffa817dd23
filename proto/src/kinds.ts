import { enrollmentKind } from './kinds/enrollment.ts'
import { eventKind } from './kinds/event.ts'
import { gatewayKind } from './kinds/gateway.ts'
import { groupKind } from './kinds/group.ts'
import { instanceKind } from './kinds/instance.ts'
import type { KindDeclaration } from './kinds/kind.ts'
import { llmKind } from './kinds/llm.ts'
import { mcpTokenKind } from './kinds/mcp-token.ts'
import { projectKind } from './kinds/project.ts'
import { promptKind } from './kinds/prompt.ts'
import { promptRequestKind } from './kinds/prompt-request.ts'
import { proxyModelKind } from './kinds/proxy-model.ts'
import { roleBindingKind } from './kinds/role-binding.ts'
import { roleKind } from './kinds/role.ts'
import { secretBackendKind } from './kinds/secret-backend.ts'
import { secretKind } from './kinds/secret.ts'
import { serverAttachmentKind } from './kinds/server-attachment.ts'
import { serverKind } from './kinds/server.ts'
import { serviceAccountKind } from './kinds/service-account.ts'
import { templateKind } from './kinds/template.ts'
import { toolKind } from './kinds/tool.ts'
import { userKind } from './kinds/user.ts'

/** Every kind there is, in the order in which `apply` writes them. */
export const kinds: readonly KindDeclaration[] = [
  userKind,
  serviceAccountKind,
  groupKind,
  roleKind,
  roleBindingKind,
  secretBackendKind,
  secretKind,
  llmKind,
  proxyModelKind,
  templateKind,
  serverKind,
  projectKind,
  promptKind,
  promptRequestKind,
  serverAttachmentKind,
  gatewayKind,
  instanceKind,
  toolKind,
  enrollmentKind,
  mcpTokenKind,
  eventKind,
]

/** Finds a kind by kind, plural or alias, in any case. */
export function findKind(word: string): KindDeclaration | undefined {
  const wanted = word.toLowerCase()
  return kinds.find((one) => one.kind.toLowerCase() === wanted || one.plural === wanted || one.aliases.includes(wanted))
}
