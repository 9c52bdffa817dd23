import { stripVTControlCharacters } from 'node:util'
import type { LogEntry } from '@mcpg/proto/rest/logs'
import type { Context } from '../context.ts'

/**
 * Prints entries as they come. Text is the line alone on standard output, with its instance before it once there are several, and what
 * is said about the log on standard error; `-o wide` adds time and source; json, yaml and ndjson have everything.
 */
export function logPrinter(
  { settings, print, say }: Pick<Context, 'settings' | 'print' | 'say'>,
  { several, isFollowed }: { several: boolean; isFollowed: boolean },
) {
  const { output } = settings
  const held: LogEntry[] = []
  let first: string | undefined
  let isPrefixed = several
  let failed = false
  return { entry, end, failed: () => failed }

  async function entry(one: LogEntry): Promise<void> {
    failed ||= one.type === 'error'
    if (output === 'json' && !isFollowed) held.push(one)
    else if (output === 'json' || output === 'ndjson') print(JSON.stringify(one))
    else if (output === 'yaml') print(`---\n${(await import('../manifest/print-form.ts')).toYaml(one).trimEnd()}`)
    else text(one)
  }

  function text(one: LogEntry): void {
    const from = 'gateway' in one ? [one.gateway, 'instance' in one ? one.instance : undefined].filter(Boolean).join('/') : ''
    switch (one.type) {
      case 'log': {
        first ??= from
        isPrefixed ||= from !== first
        const facts = output === 'wide' ? `${one.time} ${one.source} ` : ''
        return print(`${facts}${from !== '' && (isPrefixed || output === 'wide') ? `[${from}] ` : ''}${obeyed(one.text)}`)
      }
      case 'dropped':
        return say(
          `… ${one.lines.toLocaleString('en-US')} ${one.lines === 1 ? 'line' : 'lines'} dropped${from && isPrefixed ? ` (${from})` : ''}`,
        )
      case 'gateway':
        return say(`gateway ${one.gateway} is ${one.state}: ${one.message}`)
      case 'error':
        return say(`${from || 'the log'}: ${one.message}`)
      case 'end':
    }
  }

  function end(): void {
    if (output === 'json' && !isFollowed) print(JSON.stringify({ items: held }, null, 2))
  }
}

/** Colors of a server are its own affair, but nothing it writes may move the cursor of whoever reads it. */
const obeyed = (line: string): string => stripVTControlCharacters(line).replace(/[^\P{Cc}\t]/gu, '')
