import { McpgError } from '@mcpg/proto/errors'
import type { Context } from '../context.ts'
import { scripts } from '../completion/scripts.ts'

export async function run({ print }: Context, [shell = '']: string[]): Promise<void> {
  const script = scripts[shell as keyof typeof scripts]
  if (!script)
    throw new McpgError('invalid', 'usage', `There is no completion for "${shell}".`, {
      hint: `shells: ${Object.keys(scripts).join(', ')}`,
    })
  print(script.trim())
}
