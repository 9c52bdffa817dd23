import type { scripts } from './scripts.ts'

export type Shell = keyof typeof scripts

/** A function `mcpg-ctl` of the shell that starts the program at its whole path, for a machine whose PATH has none. */
export function ownFunction(shell: Shell, program: string[]): string {
  const words = (quoted: (word: string) => string) => program.map((word) => `'${quoted(word)}'`).join(' ')
  switch (shell) {
    case 'bash':
    case 'zsh':
      return `mcpg-ctl() { ${words((word) => word.replaceAll("'", `'\\''`))} "$@"; }`
    case 'fish':
      return `function mcpg-ctl; ${words((word) => word.replaceAll(/['\\]/g, '\\$&'))} $argv; end`
    case 'powershell':
      return `function mcpg-ctl { & ${words((word) => word.replaceAll("'", "''"))} @args }`
  }
}
