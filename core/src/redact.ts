/**
 * Secrets that have a shape: our tokens (prefix, body, CRC), bearer headers, passwords in URLs, and whatever stands behind /enroll/.
 * A value without a shape must not reach a log in the first place.
 */
const shapes: [RegExp, string][] = [
  [/mcpg_[a-z]{2,5}_[A-Za-z0-9_-]{20,}/g, 'mcpg_[redacted]'],
  [/(\/enroll\/)[^\s"'?#\\]+/g, '$1[redacted]'],
  [/(authorization["']?\s*[:=]\s*["']?)(bearer|basic)\s+[^\s"',]+/gi, '$1$2 [redacted]'],
  [/\b(bearer)\s+[A-Za-z0-9._~+/-]{16,}=*/gi, '$1 [redacted]'],
  // Without the scheme: to look for one makes a long line that has none quadratic.
  [/(:\/\/[^\s:/@]+):[^\s:/@]+@/g, '$1:[redacted]@'],
]

/** Takes everything out of a text that looks like a secret. */
export function redact(text: string): string {
  let clean = text
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement)
  return clean
}
