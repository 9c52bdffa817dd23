import { recordOf, recordsOf, textOf } from './reported.ts'

/** Where a server uses which key of which secret. */
export type SecretRef = { usedAs: string; secret: string; key: string }

/** Of a server's spec: variables and headers whose value comes from a secret. */
export function secretRefsOf(spec: Record<string, unknown>): SecretRef[] {
  const found = (entries: unknown, usedAs: (name: string) => string) =>
    recordsOf(entries).flatMap((one): SecretRef[] => {
      const ref = recordOf(recordOf(one['valueFrom'])['secretRef'])
      const secret = textOf(ref['name'])
      return secret ? [{ usedAs: usedAs(textOf(one['name'])), secret, key: textOf(ref['key']) }] : []
    })
  return [...found(spec['env'], (name) => `variable ${name}`), ...found(recordOf(spec['url'])['headers'], (name) => `header ${name}`)]
}
