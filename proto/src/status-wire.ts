import {
  ConfigFailureReason as WireConfigFailure,
  ConfigState as WireConfigState,
  InstanceState as WireInstanceState,
  ServerState as WireServerState,
} from './gen/mcpg/fleet/v1/types_pb.js'
import type { ConfigFailure, ConfigState, InstanceState, ServerState } from './status.ts'

// Apart from the words, which many read that never see the wire.

/** The generated enums carry their wire number as value and their bare name as key (protobuf-es strips the prefix). */
function words<Word extends string, Wire extends number>(wire: Record<string, string | Wire>, upper: boolean) {
  const spell = (word: string) => (upper ? word : word.toLowerCase()) as Word
  const toWord = new Map<number, Word>()
  for (const [key, value] of Object.entries(wire)) if (typeof value === 'number' && value !== 0) toWord.set(value, spell(key))
  const toWire = new Map([...toWord].map(([number, word]) => [word, number]))
  return {
    /** The word for a wire number; undefined for 0 and for numbers of a newer peer. */
    word: (number: number): Word | undefined => toWord.get(number),
    /** The wire number of a word; 0 (not set) for undefined. */
    wire: (word: Word | undefined): Wire => (word === undefined ? 0 : (toWire.get(word) ?? 0)) as Wire,
  }
}

export const instanceStateWords = words<InstanceState, WireInstanceState>(WireInstanceState, false)
export const serverStateWords = words<ServerState, WireServerState>(WireServerState, false)
export const configStateWords = words<ConfigState, WireConfigState>(WireConfigState, false)
export const configFailureWords = words<ConfigFailure, WireConfigFailure>(WireConfigFailure, true)
