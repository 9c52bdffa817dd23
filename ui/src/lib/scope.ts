import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import type { Workspace } from './paths.ts'

/** What the page shows. No environment: all of the workspace. */
export type Scope = Workspace & { environment: string | undefined }

/** `default` exists from the first start and never stands in the URL. */
const fallback = 'default'
const name = /^[-a-z0-9]{1,63}$/

/** The scope stands in the URL as `?ws=<org>/<workspace>&env=<environment>`, so that a link shows the same to everybody. */
export function readScope(search: URLSearchParams): Scope {
  const [org = '', workspace = ''] = (search.get('ws') ?? '').split('/')
  const valid = name.test(org) && name.test(workspace)
  const environment = search.get('env') ?? ''
  return {
    org: valid ? org : fallback,
    workspace: valid ? workspace : fallback,
    environment: name.test(environment) ? environment : undefined,
  }
}

/** The part of a search that every link of the console keeps. */
export function writeScope({ org, workspace, environment }: Scope): URLSearchParams {
  const search = new URLSearchParams()
  if (org !== fallback || workspace !== fallback) search.set('ws', `${org}/${workspace}`)
  if (environment) search.set('env', environment)
  return search
}

export function useScope(): Scope {
  const [search] = useSearchParams()
  const { org, workspace, environment } = readScope(search)
  return useMemo(() => ({ org, workspace, environment }), [org, workspace, environment])
}

/** The address of a page in a scope, which need not be that of the page one is on. */
export function hrefIn(scope: Scope, path: string): string {
  const query = writeScope(scope).toString().replaceAll('%2F', '/')
  return query ? `${path}?${query}` : path
}

/** Makes the address of a page in the same scope. */
export function useHref(): (path: string, extra?: Record<string, string>) => string {
  const scope = useScope()
  return useCallback(
    (path, extra = {}) => {
      const search = writeScope(scope)
      for (const [key, value] of Object.entries(extra)) search.set(key, value)
      const query = search.toString().replaceAll('%2F', '/')
      return query ? `${path}?${query}` : path
    },
    [scope],
  )
}

/** One value of the page's state in the URL, beside the others; empty removes it. */
export function useUrlState(key: string): [string, (value: string) => void] {
  const [search, setSearch] = useSearchParams()
  const write = useCallback(
    (value: string) =>
      setSearch(
        (before) => {
          const after = new URLSearchParams(before)
          if (value) after.set(key, value)
          else after.delete(key)
          return after
        },
        { replace: true },
      ),
    [key, setSearch],
  )
  return [search.get(key) ?? '', write]
}
