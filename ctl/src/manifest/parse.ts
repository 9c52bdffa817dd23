import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, visit, type Document, type Node } from 'yaml'
import { expand } from './expand.ts'
import type { Manifest, ManifestProblem, Position } from './manifest.ts'
import { normalize, type Finder } from './normalize.ts'
import { pointerOf } from './manifest.ts'

/**
 * Reads a manifest in any of its forms, YAML 1.2 or JSON, and checks every object against its kind. `variable` resolves `${VAR}`;
 * without it the text stays as it is. Pure: files and the environment are the caller's.
 */
export function parseManifest(text: string, file: string, variable?: (name: string) => string | undefined): Manifest {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: '1.2' })
  const documents = Array.isArray(parsed) ? (parsed as Document.Parsed[]) : []
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const manifest: Manifest = { objects: [], problems: [] }
  for (const document of documents) {
    const syntax = [...document.errors].map((error): ManifestProblem => ({
      position: at(error.pos[0]),
      path: '',
      detail: explain(error.code, error.message),
    }))
    manifest.problems.push(...syntax)
    if (syntax.length > 0) continue
    if (variable) manifest.problems.push(...expandScalars(document, variable, at))
    const { objects, problems } = normalize(valueOf(document, at, manifest.problems), finder(document, at))
    manifest.objects.push(...objects)
    manifest.problems.push(...problems)
  }
  return manifest
}

function explain(code: string, message: string): string {
  return code === 'DUPLICATE_KEY' ? 'this key is given twice' : message.split('\n')[0]!
}

/** An alias that unfolds too often throws; that is an error of the manifest. */
function valueOf(document: Document.Parsed, at: (offset: number) => Position, problems: ManifestProblem[]): unknown {
  try {
    return document.toJS({ maxAliasCount: 1000 })
  } catch (error) {
    problems.push({ position: at(document.range[0]), path: '', detail: (error as Error).message })
    return null
  }
}

function expandScalars(
  document: Document.Parsed,
  variable: (name: string) => string | undefined,
  at: (offset: number) => Position,
): ManifestProblem[] {
  const problems: ManifestProblem[] = []
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('${')) return
      node.value = expand(node.value, variable, (detail) => problems.push({ position: at(node.range?.[0] ?? 0), path: '', detail }))
    },
  })
  return problems
}

/** The position of a path: of the key where there is one, of the nearest existing parent where the path leads nowhere. */
function finder(document: Document.Parsed, at: (offset: number) => Position): Finder {
  return (path) => {
    let node: Node | null = document.contents
    let offset = node?.range?.[0] ?? document.range[0]
    for (const step of path) {
      if (isMap(node)) {
        const pair: (typeof node.items)[number] | undefined = node.items.find(
          (one) => isScalar(one.key) && String(one.key.value) === String(step),
        )
        if (!pair) break
        offset = (pair.key as Node).range?.[0] ?? offset
        node = pair.value as Node | null
      } else if (isSeq(node)) {
        const item = node.items[Number(step)] as Node | undefined
        if (!item) break
        offset = item.range?.[0] ?? offset
        node = item
      } else break
    }
    return { position: at(offset), path: pointerOf(path) }
  }
}
