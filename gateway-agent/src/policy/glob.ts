/** `**` stands for anything, `*` for anything but `/`, `?` for one character but `/`; everything else for itself. */
export function globMatcher(glob: string): (text: string) => boolean {
  const source = glob.replaceAll(/\*\*|[*?]|[.+^${}()|[\]\\]/g, (part) => {
    if (part === '**') return '.*'
    if (part === '*') return '[^/]*'
    return part === '?' ? '[^/]' : `\\${part}`
  })
  const pattern = new RegExp(`^${source}$`, 's')
  return (text) => pattern.test(text)
}
