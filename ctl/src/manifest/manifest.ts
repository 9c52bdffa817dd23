/** Where something stands in a manifest; lines and columns count from 1. */
export type Position = { file: string; line: number; column: number }

export type ManifestMetadata = {
  name: string
  /** Of an object that lives in one. */
  project?: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
  resourceVersion?: string
}

/** One object of a manifest, whatever form it was written in. `locate` finds a JSON pointer of the object (`/spec/…`, `/metadata/…`). */
export type ManifestObject = {
  kind: string
  metadata: ManifestMetadata
  spec: Record<string, unknown>
  locate: (pointer: string) => Position
}

/** `variable`: what is wrong is only that this one is not set. */
export type ManifestProblem = { position: Position; path: string; detail: string; variable?: string }

export type Manifest = { objects: ManifestObject[]; problems: ManifestProblem[] }

export const showPosition = ({ file, line, column }: Position): string => `${file}:${line}:${column}`

/** RFC 6901, and back. */
export const pointerOf = (path: PropertyKey[]): string =>
  path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')
export const pathOf = (pointer: string): string[] =>
  pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
