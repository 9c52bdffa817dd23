import { fork } from 'node:child_process'
import { once } from 'node:events'
import { closeLater } from '../harness/cleanup.ts'

type Reply = { id: number; value?: unknown; error?: string }

/** A process of the bench with functions that may be called from here; it ends with the bench. */
export async function startPeer(file: string) {
  // Its own program, whoever starts it: in a test it would take itself for a file of tests.
  const { VITEST: _, ...env } = process.env
  const child = fork(file, { execArgv: [], env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
  const open = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let last = 0
  const exited = once(child, 'exit').then(() => {
    for (const { reject } of open.values()) reject(new Error(`${file} has ended`))
    open.clear()
  })
  child.on('message', ({ id, value, error }: Reply) => {
    const call = open.get(id)
    open.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(error))
  })
  closeLater(async () => {
    child.kill('SIGKILL')
    await exited
  })
  return { pid: child.pid ?? -1, ask }

  function ask<T>(method: string, argument: unknown = null): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      open.set(++last, { resolve: resolve as (value: unknown) => void, reject })
      child.send({ id: last, method, argument })
    })
  }
}
export type Peer = Awaited<ReturnType<typeof startPeer>>

/** The other side: what the process may be asked. */
export function answerAsks(methods: Record<string, (argument: never) => unknown>): void {
  process.on('message', ({ id, method, argument }: { id: number; method: string; argument: never }) => {
    Promise.resolve()
      .then(() => methods[method]?.(argument))
      .then(
        (value) => process.send?.({ id, value } satisfies Reply),
        (error: unknown) => process.send?.({ id, error: error instanceof Error ? `${error.message}${causeOf(error)}` : String(error) }),
      )
  })
  process.on('disconnect', () => process.exit())
}

const causeOf = (error: Error) => (error.cause instanceof Error ? ` (${error.cause.message})` : '')
