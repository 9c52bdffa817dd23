import { readBindings } from '../tokens/bindings.ts'

/** A rule of a Role, as its schema has it. */
export type Rule = { verbs: string[]; kinds: string[]; names?: string[] } | { operations: string[] }

/** `role:edit,resource:servers[,name:x]` and `action:logs` or `operation:logs`, as scripts say what a binding of their own may do. */
export function readRules(words: string[]): Rule[] {
  const written = words.map((word) => word.replace(/^\s*(role:run,)?action:/, 'operation:'))
  return readBindings(written, '--role-binding').map((binding) =>
    'operation' in binding
      ? { operations: [binding.operation] }
      : { verbs: [binding.role], kinds: [binding.resource], ...(binding.name !== undefined && { names: [binding.name] }) },
  )
}
