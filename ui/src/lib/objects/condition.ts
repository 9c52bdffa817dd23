import { recordsOf, textOf } from './reported.ts'

/** Kubernetes' shape; types and reasons are CamelCase words of the API. */
export type ConditionView = { type: string; status: string; reason: string; message: string; since: string }

export const conditionsOf = (value: unknown): ConditionView[] =>
  recordsOf(value).map((one) => ({
    type: textOf(one['type']),
    status: textOf(one['status']),
    reason: textOf(one['reason']),
    message: textOf(one['message']),
    since: textOf(one['lastTransitionTime']),
  }))

export const trueCondition = (conditions: ConditionView[], type: string) =>
  conditions.find((one) => one.type === type && one.status === 'True')
