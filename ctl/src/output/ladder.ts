import type { Context } from '../context.ts'

export type Phase = 'running' | 'done' | 'failed' | 'skipped'

/**
 * Progress of long work: on a terminal lines that change in place, otherwise one line for each change of a phase. It stands on
 * standard error, the result follows on standard output.
 */
export function ladder({ env, settings }: Pick<Context, 'env' | 'settings'>) {
  const isLive = env.isTTY.stderr && !settings.quiet
  const steps = new Map<string, { phase: Phase; text: string }>()
  let drawn = 0
  return { set, remove }

  function set(name: string, phase: Phase, text = ''): void {
    const before = steps.get(name)
    if (before?.phase === phase && before.text === text) return
    steps.set(name, { phase, text })
    if (settings.quiet) return
    if (isLive) draw()
    else env.stderr.write(`${line(name, phase, text)}\n`)
  }

  /** A step that has become others. */
  function remove(name: string): void {
    steps.delete(name)
  }

  function draw(): void {
    const lines = [...steps].map(([name, { phase, text }]) => line(name, phase, text).slice(0, Math.max(20, env.columns - 1)))
    // Up to where it was drawn before, everything below erased, then drawn again.
    env.stderr.write(`${drawn > 0 ? `\u001b[${drawn}A` : ''}\u001b[J${lines.map((one) => `${one}\n`).join('')}`)
    drawn = lines.length
  }
}

const marks = { running: '…', done: '✓', failed: '✗', skipped: '-' } as const

const line = (name: string, phase: Phase, text: string) => `${marks[phase]} ${name.padEnd(16)} ${text}`.trimEnd()
