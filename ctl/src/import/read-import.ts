import { findKind } from '@mcpg/proto/kinds'
import { McpgError } from '@mcpg/proto/errors'
import { globOf, isGlob } from '../api/objects.ts'
import { checkObject } from '../manifest/check-object.ts'
import { pathOf, showPosition, type ManifestObject } from '../manifest/manifest.ts'
import { isClientConfig, readClientConfig } from './client-config.ts'
import { nameOf, type Aside, type ImportProblem, type Imported } from './draft.ts'
import { build, withoutValues, type Taken } from './build.ts'
import { isMcpctl, readMcpctl } from './mcpctl.ts'
import { isOwnEndpoint } from './own-endpoint.ts'
import { readText } from './read-document.ts'
import { judge } from './secret-values.ts'
import { isStack, readStack } from './stack.ts'
import type { Source } from './sources.ts'

export type ImportOptions = {
  /** Only servers of these names or globs; none: all. */
  only: string[]
  secret: string[]
  plain: string[]
  isPrinted: boolean
  variable: (name: string) => string | undefined
  home: string
  /** URLs of the gateways of this machine. */
  endpoints: string[]
}
export type ImportResult = { objects: ManifestObject[]; taken: Taken[]; aside: Aside[]; problems: ImportProblem[]; notes: string[] }

/** Reads a file of another program into objects. What cannot be taken over is told, and left out of the objects. */
export async function readImport({ name: file, text, folder }: Source, options: ImportOptions): Promise<ImportResult> {
  const { documents, problems } = readText(text, file)
  const imported = ofDocuments()
  imported.problems.push(...problems.map(({ position, path, detail }) => ({ position, detail, ...serverAt(path) })))
  const drafts = withoutOwn(withoutDuplicates(chosen(imported)))
  const { variable, isPrinted, home } = options
  const folders = {
    workspaceFolder: folder,
    workspaceRoot: folder,
    workspaceFolderBasename: folder.split(/[\\/]/).at(-1) ?? '',
    userHome: home,
    pathSeparator: '/',
  }
  const built = await build(drafts, { variables: { variable, folders }, judge: judge(options), folder, isPrinted })
  const own = withServers(imported.objects)
  const objects = checked([...built.objects, ...(isPrinted ? withoutValues(own, built.taken) : own)])
  const servers = new Set(objects.map(({ metadata }) => metadata.name))
  const asides = drafts.flatMap(({ name, aside }) =>
    Object.keys(aside).length > 0 && servers.has(name) ? [{ of: `server/${name}`, fields: aside }] : [],
  )
  return {
    objects,
    taken: built.taken,
    aside: [...imported.aside, ...asides],
    problems: [...imported.problems, ...built.problems].filter(({ server }) => server === undefined || isChosen(server)),
    notes: imported.notes,
  }

  function isChosen(name: string): boolean {
    return options.only.length === 0 || options.only.some((one) => globOf(one).test(name))
  }

  function ofDocuments(): Imported {
    const [first] = documents
    if (first && isStack(first.value)) return readStack(first)
    // A client's servers are a map, those of a manifest a list.
    if (first && isClientConfig(first.value)) return readClientConfig(first, folder)
    if (documents.some(({ value }) => isMcpctl(value))) return readMcpctl(documents)
    if (problems.length > 0) return { drafts: [], objects: [], aside: [], problems: [], notes: [] }
    throw new McpgError('invalid', 'nothing_to_import', `${file} holds no servers that are known here.`, {
      hint: 'what is read: mcpServers or servers of a client, mcp-servers of a stack.yaml, and manifests of mcpctl',
    })
  }

  function chosen({ drafts: all, problems: found }: Imported) {
    const left = found.map(({ server: name }) => ({ name }))
    const missing = options.only.filter((one) => !isGlob(one) && ![...all, ...left].some(({ name }) => name === one))
    if (missing.length > 0)
      throw new McpgError('not_found', 'server_missing', `${file} has no server ${missing.join(', ')}.`, {
        hint: all.length > 0 ? `servers: ${all.map(({ name }) => name).join(', ')}` : undefined,
      })
    return all.filter(({ name }) => isChosen(name))
  }

  /** Names that differ only in what a name cannot have here are one name. */
  function withoutDuplicates(all: Imported['drafts']) {
    const seen = new Map<string, Imported['drafts'][number]>()
    for (const draft of all) {
      const first = seen.get(draft.name)
      if (first)
        imported.problems.push({
          position: draft.at(),
          server: draft.name,
          detail: `a second server would be called ${draft.name}, as the one at ${showPosition(first.at())}; rename one of them`,
        })
      else seen.set(draft.name, draft)
    }
    return [...seen.values()]
  }

  /** What leads back to us is no server of anybody else. */
  function withoutOwn(all: Imported['drafts']) {
    return all.filter(({ name, source }) => {
      const isOwn = isOwnEndpoint(source, options.endpoints)
      if (isOwn) imported.notes.push(`${name} leads to an endpoint of mcpg and was left out`)
      return !isOwn
    })
  }

  /** A project comes without the servers that were left out; with names chosen, objects that are about none of them do not come. */
  function withServers(all: ManifestObject[]): ManifestObject[] {
    const there = new Set(built.objects.map(({ metadata }) => metadata.name))
    const left = new Set([...imported.problems, ...built.problems].map(({ server }) => server))
    return all.flatMap((object) => {
      if (object.kind === 'Secret' && options.only.length > 0) return isReferredTo(object.metadata.name) ? [object] : []
      const { servers = [] } = object.spec as { servers?: string[] }
      const kept = servers.filter((name) => there.has(name) || !(left.has(name) || options.only.length > 0))
      if (options.only.length > 0 && kept.length === 0) return []
      const without = servers.filter((name) => !kept.includes(name))
      if (without.length === 0) return [object]
      imported.notes.push(`project/${object.metadata.name} comes without ${without.join(', ')}`)
      return [{ ...object, spec: { ...object.spec, servers: kept } }]
    })
  }

  function isReferredTo(secret: string): boolean {
    return built.objects.some(({ spec }) => JSON.stringify(spec).includes(`"secretRef":{"name":"${secret}"`))
  }

  function checked(all: ManifestObject[]): ManifestObject[] {
    return all.filter((object) => {
      const kind = findKind(object.kind)
      const violations = kind ? checkObject(kind, object.metadata, object.spec) : []
      imported.problems.push(
        ...violations.map(({ pointer, detail }) => ({
          position: object.locate(pointer),
          detail: `${object.kind.toLowerCase()}/${object.metadata.name} ${pointer} ${detail}`,
        })),
      )
      return violations.length === 0
    })
  }
}

/** The server that a place in a client's file belongs to. */
function serverAt(pointer: string): { server?: string } {
  const [, name] = /^(?:\/mcp|\/projects\/[^/]*)?\/(?:mcpServers|servers|context_servers|mcp_servers)\/([^/]+)/.exec(pointer) ?? []
  return name === undefined ? {} : { server: nameOf(pathOf(`/${name}`)[0] ?? '') }
}
