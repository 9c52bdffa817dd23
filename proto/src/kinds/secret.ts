import { z } from 'zod'
import type { KindDeclaration, Resource } from './kind.ts'

/** UTF-8 bytes of one value, and of all values of one secret (`docs/protocol.md`, Limits). */
export const maxSecretValueBytes = 64 * 1024
export const maxSecretBytes = 1024 * 1024

const utf8Bytes = (text: string) => new TextEncoder().encode(text).length

/** As in Kubernetes, so that a bundle can become one there. */
export const SecretKeyName = z.string().regex(/^[A-Za-z0-9._-]{1,253}$/, 'must be 1-253 of A-Z, a-z, 0-9, ".", "_" and "-"')

/** Text without NUL, because it ends in an environment variable or a header. */
export const SecretText = z
  .string()
  .min(1, 'is empty; leave the key out instead')
  .refine((value) => !value.includes('\0'), 'holds a NUL character, which no variable and no header can carry')
  .refine((value) => utf8Bytes(value) <= maxSecretValueBytes, `is longer than ${maxSecretValueBytes / 1024} KiB`)

const Keep = z.strictObject({ keep: z.literal(true) }).describe('The value that is stored already; what `get -o yaml` prints')

const dataOf = <Value extends z.ZodType>(value: Value) =>
  z.record(SecretKeyName, value).superRefine((data, ctx) => {
    const total = Object.values(data).reduce<number>((sum, one) => sum + (typeof one === 'string' ? utf8Bytes(one) : 0), 0)
    if (total > maxSecretBytes) ctx.addIssue({ code: 'custom', message: `its values take more than ${maxSecretBytes >> 20} MiB together` })
    if (Object.keys(data).length > 256) ctx.addIssue({ code: 'custom', message: 'has more than 256 keys' })
  })

/** As it is sent: a new value, or `keep`. What is stored, returned and watched has `keep` only. */
export const SecretSpec = z.strictObject({
  data: dataOf(z.union([SecretText, Keep])).describe('Values by key, never shown again'),
})
export type SecretSpec = z.infer<typeof SecretSpec>

/** As it may stand in a manifest; `fromEnv` and `fromFile` are read by the command line and never sent. */
export const SecretManifest = z.strictObject({
  data: dataOf(
    z.union([
      SecretText,
      Keep,
      z.strictObject({ fromEnv: z.string().min(1).describe('Variable of the environment in which the command runs') }),
      z.strictObject({
        fromFile: z.string().min(1).describe('File beside the manifest, or an absolute path; a last line break is left out'),
      }),
    ]),
  ).describe('Values by key: text, fromEnv, fromFile, or keep: true for what is stored already'),
})
export type SecretManifest = z.infer<typeof SecretManifest>

/** Takes the place of a value in a plan and a diff. */
export const changedValue = '(changed)'
export const storedValue = '(value)'

export const SecretStatus = z.object({
  observedGeneration: z.number().int(),
  /** By key. `version` is raised only when the value of the key changes; `updatedAt` is when it did last. */
  keys: z.array(z.object({ key: z.string(), version: z.number().int(), updatedAt: z.string() })),
  usedBy: z.array(z.object({ kind: z.string(), name: z.string(), keys: z.array(z.string()) })),
})
export type SecretStatus = z.infer<typeof SecretStatus>

/** Body of `POST …/secrets/{s}/reveal`; without `key`: all of them. */
export const RevealRequest = z.strictObject({ key: SecretKeyName.optional() })
export type RevealRequest = z.infer<typeof RevealRequest>

/** The one answer that holds values. */
export const RevealedSecret = z.object({
  name: z.string(),
  values: z.array(z.object({ key: z.string(), version: z.number().int(), value: z.string() })),
})
export type RevealedSecret = z.infer<typeof RevealedSecret>

const spec = (resource: Resource) => resource.spec as Partial<SecretSpec>
const status = (resource: Resource) => resource.status as Partial<SecretStatus>
const newest = (resource: Resource) =>
  (status(resource).keys ?? []).reduce((latest, { updatedAt }) => (updatedAt > latest ? updatedAt : latest), '')

export const secretKind: KindDeclaration = {
  kind: 'Secret',
  plural: 'secrets',
  aliases: ['secret', 'sec'],
  scope: 'workspace',
  virtual: false,
  description: 'Named bundle of values that servers get as variables or headers; a value is stored sealed and never shown again.',
  specVersion: 1,
  spec: SecretSpec,
  manifest: SecretManifest,
  status: SecretStatus,
  oneOf: [],
  sensitive: ['/data'],
  references: () => [],
  parts: (stored) => Object.keys((stored as Partial<SecretSpec>).data ?? {}),
  columns: [
    { name: 'name', value: (resource) => resource.metadata.name },
    { name: 'keys', value: (resource) => Object.keys(spec(resource).data ?? {}).join(',') },
    { name: 'used by', value: (resource) => String((status(resource).usedBy ?? []).length) },
    { name: 'changed', value: newest },
    {
      name: 'versions',
      wide: true,
      value: (resource) => (status(resource).keys ?? []).map((one) => `${one.key}:${one.version}`).join(','),
    },
  ],
  actions: {
    reveal: {
      access: { operation: 'reveal-secrets' },
      description: 'Answers the values of one key or all; every call is written to the audit trail',
      body: RevealRequest,
      answer: RevealedSecret,
    },
  },
  upgrade: (stored) => stored,
}
