import { z } from 'zod'

/** Names of objects (`docs/protocol.md`): a DNS label, so that `__` splits a tool name one way. */
export const Name = z
  .string()
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, 'must be 1-63 of a-z, 0-9 and -, and begin and end with a letter or digit')

/** Words that stand where a name would stand in a path. */
export const reservedNames: ReadonlySet<string> = new Set(['apply', 'mcp', 'watch', 'health', 'new', 'all'])

const labelPart = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const labelPrefix = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/')
  return slash < 0 ? labelPart.test(key) : labelPrefix.test(key.slice(0, slash)) && labelPart.test(key.slice(slash + 1))
}

/** Labels in Kubernetes' syntax, at most 64. */
export const Labels = z.record(z.string(), z.string()).superRefine((labels, ctx) => {
  const entries = Object.entries(labels)
  if (entries.length > 64) ctx.addIssue({ code: 'custom', message: `${entries.length} labels, at most 64 are allowed` })
  for (const [key, value] of entries) {
    if (!isLabelKey(key)) ctx.addIssue({ code: 'custom', path: [key], message: 'is not a label key: [prefix/]name, 1-63 of A-Za-z0-9-_.' })
    if (value !== '' && !labelPart.test(value))
      ctx.addIssue({ code: 'custom', path: [key], message: 'is not a label value: at most 63 of A-Za-z0-9-_.' })
  }
})

/** Free text beside an object; 256 KiB together, as in Kubernetes. */
export const Annotations = z
  .record(z.string().min(1).max(317), z.string())
  .refine((all) => JSON.stringify(all).length <= 262_144, 'annotations take more than 256 KiB')

/** The identifier of an installation: 1-63 of [a-z0-9-] (`docs/protocol.md`). */
export const InstanceUid = z.string().regex(/^[a-z0-9-]{1,63}$/, 'must be 1-63 of a-z, 0-9 and -')
