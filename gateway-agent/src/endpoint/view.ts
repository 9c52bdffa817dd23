import type { OwnAnswer } from './target.ts'
import type { Definition } from './lists.ts'
import type { ServerBook } from './server-book.ts'

const maxInstructionsBytes = 8 * 1024

/** Which part of what a gateway has a path shows, and what it says of itself. */
export type View = {
  path: string
  isEverything: boolean
  /** Another object whenever it shows something else. */
  state: () => object
  includes: (server: string) => boolean
  /** `tool` by its own name. */
  showsTool: (server: string, tool: string) => boolean
  /** Whether the prompts and resources of a server are shown. */
  showsOthers: (server: string) => boolean
  instructions: (books: readonly ServerBook[]) => string
  /** Prompts that no server has, by names of their own. */
  prompts: {
    list: () => Definition[]
    answer: (name: string) => OwnAnswer['answer'] | undefined
    /** The server that it reads from. */
    reads: (name: string) => string | undefined
  }
}

/** `/mcp`: everything. */
export function everythingOf(gatewayName: string): View {
  const state = {}
  return {
    path: '/mcp',
    isEverything: true,
    state: () => state,
    includes: () => true,
    showsTool: () => true,
    showsOthers: () => true,
    instructions(books) {
      const own = `${gatewayName} serves ${countOf(books)}; tools and prompts are named server__name.`
      return cut([own, ...instructionsOf(books)].join('\n\n'))
    },
    prompts: { list: () => [], answer: () => undefined, reads: () => undefined },
  }
}

export const countOf = (books: readonly ServerBook[]): string => (books.length === 1 ? 'one MCP server' : `${books.length} MCP servers`)

/** A section per server that has something to say; `instead` may say it for one. */
export function instructionsOf(books: readonly ServerBook[], instead: (server: string) => string | undefined = () => undefined): string[] {
  return books.flatMap((book) => {
    const text = (instead(book.name) ?? book.facts()?.instructions)?.trim()
    return text ? [`## ${book.name}\n${text}`] : []
  })
}

/** At most 8 KiB of UTF-8, never half a character. */
export function cut(text: string): string {
  const bytes = Buffer.from(text)
  if (bytes.length <= maxInstructionsBytes) return text
  return new TextDecoder().decode(bytes.subarray(0, maxInstructionsBytes)).replace(/\uFFFD+$/, '')
}
