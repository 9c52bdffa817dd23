import type { Params } from '../../mcp/protocol.ts'
import type { Session } from '../session.ts'
import { unknownServer } from '../target.ts'
import { cut } from './declared.ts'
import type { SessionChildren } from './session-children.ts'
import type { Viewer } from './viewer.ts'

/** Undefined for a client that cannot be asked: it sees what everybody sees. */
export function sessionViewer(session: Session, children: SessionChildren): Viewer | undefined {
  const { declared, target } = session
  return declared && { declared, lease: async ({ name }) => lease(name) }

  async function lease(name: string) {
    const book = target.books().find((one) => one.name === name)
    return book ? children.lease(session, book) : { unavailable: unknownServer(name).message }
  }
}

export function callerViewer(declared: Params | undefined, caller: () => string): Viewer | undefined {
  if (!declared) return undefined
  return {
    declared,
    lease({ own, config }) {
      const capabilities = cut(declared, config.forward) ?? {}
      return own.acquire({ owner: caller(), belongsTo: 'caller', capabilities, exclusive: true })
    },
  }
}
