import { findNodeAtLocation, parseTree, printParseErrorCode, type Node, type ParseError } from 'jsonc-parser'
import { isMap, isScalar, isSeq, LineCounter, parseAllDocuments, type Document, type Node as YamlNode } from 'yaml'
import type { ImportDocument, ReadText } from './document.ts'
import { readToml } from './read-toml.ts'
import { pointerOf, type ManifestProblem, type Position } from '../manifest/manifest.ts'

/** TOML, JSON with comments and trailing commas, or YAML in several documents. A name that is given twice is a problem, and the first one counts. */
export function readText(text: string, file: string): ReadText {
  const plain = text.replace(/^\uFEFF/, '')
  if (/\.toml$/i.test(file) || /^[ \t]*\[+[ \t]*mcp_servers\b/m.test(plain)) return readToml(plain, file)
  return /\.ya?ml$/i.test(file) || !/^\s*(?:[{[]|\/[/*])/.test(plain) ? readYaml(plain, file) : readJson(plain, file)
}

function readJson(text: string, file: string): ReadText {
  const errors: ParseError[] = []
  const root = parseTree(text, errors, { allowTrailingComma: true })
  const at = (offset: number): Position => {
    const before = text.slice(0, offset)
    return { file, line: before.split('\n').length, column: offset - before.lastIndexOf('\n') }
  }
  const [error] = errors
  if (error || !root) {
    const detail = error ? `is no JSON: ${words(printParseErrorCode(error.error))}` : 'is empty'
    return { documents: [], problems: [{ position: at(error?.offset ?? 0), path: '', detail }] }
  }
  const problems: ManifestProblem[] = []
  const value = valueOf(root, [])
  return { documents: [{ value, at: (path) => at(nearestNode(root, path).offset) }], problems }

  function valueOf(node: Node, path: (string | number)[]): unknown {
    if (node.type === 'array') return (node.children ?? []).map((child, index) => valueOf(child, [...path, index]))
    if (node.type !== 'object') return node.value
    const fields = new Map<string, unknown>()
    for (const { children: [key, child] = [] } of node.children ?? []) {
      if (!key || !child) continue
      const name = String(key.value)
      if (fields.has(name)) problems.push({ position: at(key.offset), path: pointerOf([...path, name]), detail: `${name} is given twice` })
      else fields.set(name, valueOf(child, [...path, name]))
    }
    return Object.fromEntries(fields)
  }
}

/** The key of a path where there is one, else the nearest thing above. */
function nearestNode(root: Node, path: (string | number)[]): Node {
  for (let length = path.length; length > 0; length--) {
    const node = findNodeAtLocation(root, path.slice(0, length))
    if (node) return node.parent?.type === 'property' ? node.parent : node
  }
  return root
}

/** InvalidSymbol → invalid symbol */
const words = (code: string) => code.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()

function readYaml(text: string, file: string): ReadText {
  const lines = new LineCounter()
  const parsed = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, version: '1.2' })
  const documents: ImportDocument[] = []
  const problems: ManifestProblem[] = []
  const at = (offset: number): Position => {
    const { line, col } = lines.linePos(offset)
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  for (const document of Array.isArray(parsed) ? (parsed as Document.Parsed[]) : []) {
    for (const error of document.errors)
      problems.push({
        position: at(error.pos[0]),
        path: '',
        detail: error.code === 'DUPLICATE_KEY' ? 'this name is given twice' : `is no YAML: ${error.message.split('\n')[0]!}`,
      })
    // Of two the first one would have to be taken out of a document that is known to be wrong.
    if (document.errors.length === 0 && document.contents)
      documents.push({ value: document.toJS({ maxAliasCount: 1000 }), at: finder(document) })
  }
  return { documents, problems }

  function finder(document: Document.Parsed): ImportDocument['at'] {
    return (path) => {
      let node: YamlNode | null = document.contents
      let offset = node?.range?.[0] ?? 0
      for (const step of path) {
        if (isMap(node)) {
          const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(step))
          if (!pair) break
          offset = (pair.key as YamlNode).range?.[0] ?? offset
          node = pair.value as YamlNode | null
        } else if (isSeq(node)) {
          node = (node.items[Number(step)] ?? null) as YamlNode | null
          offset = node?.range?.[0] ?? offset
        } else break
      }
      return at(offset)
    }
  }
}
