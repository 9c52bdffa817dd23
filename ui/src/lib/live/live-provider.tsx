import { useQueryClient, type QueryClient } from '@tanstack/react-query'
import { createContext, use, useEffect, useState, type ReactNode } from 'react'
import { listAll, type Workspace } from '../paths.ts'
import { keepConnected, type LiveStatus } from './connection.ts'
import { flusher } from './flusher.ts'
import { watchedKindNames, watchedKinds } from './kinds.ts'
import { objectsKey } from './objects-key.ts'
import { readWatch } from './read-watch.ts'
import { wait } from './wait.ts'
import { watchTables } from './watch-tables.ts'

/** A hidden tab gives its stream back after this long: a browser allows about six connections per host. */
const hiddenMs = 60_000

/** `heardAt` is the time of the last news, in ms since 1970. */
export type Live = { status: LiveStatus; heardAt: number | undefined }

const LiveContext = createContext<Live>({ status: { state: 'connecting' }, heardAt: undefined })

export const useLive = () => use(LiveContext)

/** Feeds the caches of one workspace from one stream, for every page below. */
export function LiveProvider({ scope, children }: { scope: Workspace; children: ReactNode }) {
  const client = useQueryClient()
  const [live, setLive] = useState<Live>({ status: { state: 'connecting' }, heardAt: undefined })
  const { org, workspace } = scope
  useEffect(() => follow({ scope: { org, workspace }, client, onLive: setLive }), [client, org, workspace])
  return <LiveContext value={live}>{children}</LiveContext>
}

function follow({ scope, client, onLive }: { scope: Workspace; client: QueryClient; onLive: (live: Live) => void }): () => void {
  const tables = watchTables()
  const draw = flusher(() => {
    for (const [kind, items] of tables.takeChanges()) client.setQueryData(objectsKey(scope, kind), items)
  })
  let heardAt: number | undefined
  let status: LiveStatus = { state: 'connecting' }
  let running: AbortController | undefined
  let hideTimer: ReturnType<typeof setTimeout> | undefined
  const tell = (next: LiveStatus) => onLive({ status: (status = next), heardAt })

  const onVisibility = () => {
    clearTimeout(hideTimer)
    if (document.hidden) hideTimer = setTimeout(pause, hiddenMs)
    else if (status.state !== 'live') start()
  }
  document.addEventListener('visibilitychange', onVisibility)
  globalThis.addEventListener('online', start)
  start()
  return () => {
    document.removeEventListener('visibilitychange', onVisibility)
    globalThis.removeEventListener('online', start)
    clearTimeout(hideTimer)
    running?.abort()
    draw.cancel()
  }

  function pause(): void {
    running?.abort()
    tell({ state: 'paused' })
  }

  function start(): void {
    running?.abort()
    running = new AbortController()
    const url = `/v1/watch?scope=${scope.org}/${scope.workspace}&kinds=${watchedKindNames.join(',')}`
    void keepConnected(
      {
        read: (options) => readWatch({ url, ...options }),
        poll,
        onSnapshot: tables.beginSnapshot,
        onEvent: (event) => {
          heardAt = Date.now()
          tables.apply(event)
          draw.request()
        },
        onStatus: (next) => {
          if (next.state === 'live') heardAt = Date.now()
          tell(next)
        },
        wait,
        now: Date.now,
        random: Math.random,
      },
      running.signal,
    )
  }

  async function poll(signal: AbortSignal): Promise<void> {
    const lists = await Promise.all(watchedKindNames.map((kind) => listAll(scope, watchedKinds[kind], signal)))
    watchedKindNames.forEach((kind, index) => tables.replace(kind, lists[index]!))
    heardAt = Date.now()
    draw.request()
  }
}
