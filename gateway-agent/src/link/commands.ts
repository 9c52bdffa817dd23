import { create } from '@bufbuild/protobuf'
import { timestampMs } from '@bufbuild/protobuf/wkt'
import type { Clock } from '@mcpg/core/clock'
import { CommandResultSchema, CommandState, type Command, type CommandResult } from '@mcpg/proto/gen/gateway'
import type { Servers } from '../servers/supervision.ts'

const remembered = 256

/** Answers a command once: a repeated id gets the result it had. Commands this version does not know are REFUSED. */
export function commandRunner({ servers, clock }: { servers: Pick<Servers, 'stopInstance'>; clock: Clock }) {
  const results = new Map<string, CommandResult>()
  return function run(command: Command): CommandResult {
    const known = results.get(command.commandId)
    if (known) return known
    const result = create(CommandResultSchema, { commandId: command.commandId, ...execute(command) })
    results.set(command.commandId, result)
    const oldest = results.keys().next()
    if (results.size > remembered && !oldest.done) results.delete(oldest.value)
    return result
  }

  function execute({ action, expireTime }: Command): { state: CommandState; message: string } {
    if (expireTime && timestampMs(expireTime) < clock.now()) return { state: CommandState.REFUSED, message: 'It came after its time.' }
    if (action.case !== 'stopInstance')
      return { state: CommandState.REFUSED, message: `This version does not know the command ${action.case ?? '(none)'}.` }
    return servers.stopInstance(action.value.instanceId)
      ? { state: CommandState.SUCCEEDED, message: '' }
      : { state: CommandState.FAILED, message: `There is no instance ${action.value.instanceId}.` }
  }
}
