import type { ManifestProblem, Position } from '../manifest/manifest.ts'

/** One document of a file, with where each of its parts stands in the text. */
export type ImportDocument = { value: unknown; at: (path: (string | number)[]) => Position }
export type ReadText = { documents: ImportDocument[]; problems: ManifestProblem[] }
