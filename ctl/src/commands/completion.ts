import { McpgError } from '@mcpg/proto/errors'
import { ownFunction, type Shell } from '../completion/own-function.ts'
import { scripts } from '../completion/scripts.ts'
import type { Context } from '../context.ts'
import { ownProgram } from '../local/own-program.ts'

export async function run({ env, print, say }: Context, [shell = '']: string[]): Promise<void> {
  const script = scripts[shell as Shell]
  if (!script)
    throw new McpgError('invalid', 'usage', `There is no completion for "${shell}".`, {
      hint: `shells: ${Object.keys(scripts).join(', ')}`,
    })
  const program = ownProgram(env)
  if (program.length === 1) return print(script.trim())
  // Behind the script: zsh wants #compdef in the first line.
  print(`${script.trim()}\n${ownFunction(shell as Shell, program)}`)
  say(`no mcpg-ctl is on PATH, so the script defines a function of that name, which starts ${program.at(-1)}`)
}
