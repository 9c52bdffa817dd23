import { spawn } from 'node:child_process'
import type { Env } from '../env.ts'

/** Why no browser can be opened here; null when one can. */
export function whyNoBrowser({ env, isTTY }: Env): string | null {
  if (env['CI']) return 'this is a CI machine'
  if (!isTTY.stderr) return 'there is no terminal'
  if (process.platform === 'linux' && !env['DISPLAY'] && !env['WAYLAND_DISPLAY']) return 'there is no display'
  return null
}

/** Opens a page; that there is no program for it is no failure of ours. */
export function openBrowser(url: string): void {
  const [program, ...args] =
    process.platform === 'darwin' ? ['open', url] : process.platform === 'win32' ? ['cmd', '/c', 'start', '', url] : ['xdg-open', url]
  const child = spawn(program!, args, { detached: true, stdio: 'ignore' })
  child.once('error', () => {})
  child.unref()
}
