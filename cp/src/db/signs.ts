/** Codes and texts of an error and of what caused it. */
export type Signs = { codes: ReadonlySet<string>; text: string }

export function signsOf(error: unknown): Signs {
  const codes = new Set<string>()
  const texts: string[] = []
  collect(error, 0)
  return { codes, text: texts.join(' ') }

  function collect(part: unknown, depth: number): void {
    if (typeof part === 'string') texts.push(part)
    if (depth > 5 || typeof part !== 'object' || part === null) return
    const { code, originalCode, kind, message, originalMessage, cause, meta } = part as Record<string, unknown>
    for (const one of [code, originalCode, kind]) if (typeof one === 'string') codes.add(one)
    for (const one of [message, originalMessage]) if (typeof one === 'string') texts.push(one)
    collect(cause, depth + 1)
    if (typeof meta === 'object' && meta !== null) collect((meta as { driverAdapterError?: unknown }).driverAdapterError, depth + 1)
    // Several addresses of one host, none of which answered.
    if (part instanceof AggregateError) for (const one of part.errors) collect(one, depth + 1)
  }
}
