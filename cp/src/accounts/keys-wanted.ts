import type { Log } from '@mcpg/core/log'
import type { Talk } from '../link/service.ts'

/** Hears gateways that were shown an id_token by a key that their access document lacks. The document that has it is the answer. */
export function keysWantedTalk({ keysWanted }: { keysWanted: (issuer: string) => Promise<void> }, log: Pick<Log, 'warn'>): Talk {
  return {
    frames: ['issuerKeysWanted'],
    heard(_line, frame) {
      if (frame.case !== 'issuerKeysWanted') return
      void keysWanted(frame.value.issuer).catch((error: unknown) =>
        log.warn({ err: error }, 'the keys of the issuer, which a gateway wants, cannot be looked up'),
      )
    },
    closed() {},
  }
}
