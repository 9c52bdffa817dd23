const steps = [
  [1000, 's'],
  [60_000, 'min'],
  [3_600_000, 'h'],
  [86_400_000, 'd'],
] as const

/** `12 s`, `3 min`, `2 h`, `5 d`: the biggest unit, cut. */
export function spell(ms: number): string {
  const step = steps.findLast(([size]) => ms >= size) ?? steps[0]
  return `${Math.max(0, Math.floor(ms / step[0]))} ${step[1]}`
}

/** `14:52` or `1:04:52`; never below zero. */
export function spellCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000))
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = `${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`
  return seconds >= 3600 ? `${Math.floor(seconds / 3600)}:${clock}` : clock
}

/** Milliseconds since 1970, undefined for what is missing or no time. */
export function timeOf(text: string | null | undefined): number | undefined {
  const time = text ? Date.parse(text) : Number.NaN
  return Number.isNaN(time) ? undefined : time
}

export const exactTime = (time: number) => new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'long' })
export const clockTime = (time: number) => new Date(time).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' })

/** `crash_loop` → `Crash loop`: the word of the API with a capital. */
export function capital(word: string): string {
  const spaced = word.replaceAll('_', ' ')
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

export const plural = (count: number, one: string, many = `${one}s`) => `${count} ${count === 1 ? one : many}`

export const shortHash = (hash: string | null | undefined) => hash?.slice(0, 8) ?? ''

/** An argument as a POSIX shell takes it. */
export const shellWord = (text: string) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)

export function spellBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10))
  return `${(bytes / 1024 ** power).toFixed(power > 1 ? 1 : 0)} ${units[power]}`
}

/** `0.25 CPU`. */
export const spellCpu = (millicores: number): string => `${millicores / 1000} CPU`

/** `3 ms`, `1.24 s`, `2 min 5 s`: how long something took. */
export function spellDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(ms < 10_000 ? 2 : 1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.floor(ms / 1000) % 60} s`
}

/** `14:02:07`, of a line of a log. */
export function secondTime(text: string): string {
  const time = timeOf(text)
  return time === undefined ? '' : new Date(time).toLocaleTimeString(undefined, { hour12: false })
}
