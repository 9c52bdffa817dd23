/** Labels as people type them: `role=edge, zone=a`. A word without `=` is a key with an empty value; the control plane judges the rest. */
export function parseLabels(text: string): Record<string, string> {
  const pairs = text
    .split(/[\s,]+/)
    .filter(Boolean)
    .map((pair): [string, string] => {
      const at = pair.indexOf('=')
      return at < 0 ? [pair, ''] : [pair.slice(0, at), pair.slice(at + 1)]
    })
  return Object.fromEntries(pairs)
}

export const splitList = (text: string) => text.split(/[\s,]+/).filter(Boolean)
