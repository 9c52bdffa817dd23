/** Shorter values are words of everyday text, and hiding them would make a log unreadable. */
const minLength = 6

/**
 * Takes the values out of a text, also where they were encoded on the way to it: in JSON, in a URL, in base64. A value of several lines
 * (a key in PEM) is hidden line by line, because logs come so.
 */
export function hidingOf(values: Iterable<string>): (text: string) => string {
  const spellings = new Set<string>()
  for (const value of values)
    for (const part of [value, ...value.split(/\r?\n/)])
      for (const spelling of spellingsOf(part.trim())) if (spelling.length >= minLength) spellings.add(spelling)
  if (spellings.size === 0) return (text) => text
  // The longest first: a value that begins like another one must not leave its end.
  const all = [...spellings].sort((one, other) => other.length - one.length)
  return (text) => all.reduce((clean, spelling) => clean.replaceAll(spelling, '[secret]'), text)
}

function spellingsOf(value: string): string[] {
  if (value.length < minLength) return []
  const padded = Buffer.from(value).toString('base64')
  const base64 = padded.replace(/=+$/, '')
  const inUrls = base64.replaceAll('+', '-').replaceAll('/', '_')
  return [value, JSON.stringify(value).slice(1, -1), encodeURIComponent(value), padded, base64, inUrls]
}
