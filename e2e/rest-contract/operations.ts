import type { JsonSchema } from './schema-values.ts'

type Parameter = { name: string; in: 'path' | 'query' | 'header'; required?: boolean; schema: JsonSchema }
type Content = Record<string, { schema?: JsonSchema }>
type Described = {
  operationId: string
  parameters?: Parameter[]
  requestBody?: { content: Content }
  responses: Record<string, { content?: Content }>
}
export type OpenApi = { paths: Record<string, Record<string, Described>> }

/** One route of the published document. */
export type Operation = {
  id: string
  method: string
  path: string
  parameters: Parameter[]
  body: JsonSchema | null
  /** Media types and schemas by status; `default` is the problem document. */
  answers: Record<string, Content>
}

export function operationsOf({ paths }: OpenApi): Operation[] {
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { operationId, parameters = [], requestBody, responses }]) => ({
      id: operationId,
      method: method.toUpperCase(),
      path,
      parameters,
      body: requestBody ? (Object.values(requestBody.content)[0]?.schema ?? {}) : null,
      answers: Object.fromEntries(Object.entries(responses).map(([status, { content = {} }]) => [status, content])),
    })),
  )
}
