const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/

/** A time as people read it beside others: `12s ago`, `in 14m`; text that is no RFC 3339 time stays as it is. */
export function relative(text: string, now = Date.now()): string {
  if (!isoTime.test(text)) return text
  const seconds = Math.round((Date.parse(text) - now) / 1000)
  return seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`
}

export function span(seconds: number): string {
  if (seconds < 120) return `${seconds}s`
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`
  return `${Math.floor(seconds / 86_400)}d`
}

export function bytes(size: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  let rest = size
  while (rest >= 1024 && unit < units.length - 1) [rest, unit] = [rest / 1024, unit + 1]
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`
}
