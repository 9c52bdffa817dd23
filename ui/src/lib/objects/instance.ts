import type { Resource } from '@mcpg/proto/kinds/kind'
import { findNumber, numberOf, recordOf, textOf, textsOf } from './reported.ts'

export type InstanceView = {
  name: string
  server: string
  gateway: string
  state: string
  reason: string
  message: string
  exitCode: number | undefined
  signal: string
  lastLogLines: string[]
  protocolVersion: string
  startTime: string
  readyTime: string
  restartCount: number
  inFlight: number
}

export function instanceView(resource: Resource): InstanceView {
  const spec = recordOf(resource.spec)
  const status = recordOf(resource.status)
  return {
    name: resource.metadata.name,
    server: textOf(spec['server']),
    gateway: textOf(spec['gateway']),
    state: textOf(status['state']) || 'unknown',
    reason: textOf(status['reason']),
    message: textOf(status['message']),
    exitCode: findNumber(status['exitCode']),
    signal: textOf(status['signal']),
    lastLogLines: textsOf(status['lastLogLines']),
    protocolVersion: textOf(status['protocolVersion']),
    startTime: textOf(status['startTime']),
    readyTime: textOf(status['readyTime']),
    restartCount: numberOf(status['restartCount']),
    inFlight: numberOf(status['inFlight']),
  }
}
