/** The kinds that the console watches, with their plural in REST. */
export const watchedKinds = {
  Server: 'servers',
  Gateway: 'gateways',
  Instance: 'instances',
  Tool: 'tools',
  Enrollment: 'enrollments',
  Event: 'events',
  Secret: 'secrets',
  Project: 'projects',
  Prompt: 'prompts',
  PromptRequest: 'promptrequests',
} as const
export type WatchedKind = keyof typeof watchedKinds

export const watchedKindNames = Object.keys(watchedKinds) as WatchedKind[]

export const isWatchedKind = (kind: string): kind is WatchedKind => kind in watchedKinds
