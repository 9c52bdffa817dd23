import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// core/src/redact.ts
var shapes = [
  [/mcpg_[a-z]{2,5}_[A-Za-z0-9_-]{20,}/g, "mcpg_[redacted]"],
  [/(\/enroll\/)[^\s"'?#\\]+/g, "$1[redacted]"],
  [/(authorization["']?\s*[:=]\s*["']?)(bearer|basic)\s+[^\s"',]+/gi, "$1$2 [redacted]"],
  [/\b(bearer)\s+[A-Za-z0-9._~+/-]{16,}=*/gi, "$1 [redacted]"],
  // Without the scheme: to look for one makes a long line that has none quadratic.
  [/(:\/\/[^\s:/@]+):[^\s:/@]+@/g, "$1:[redacted]@"]
];
function redact(text) {
  let clean = text;
  for (const [shape, replacement] of shapes) clean = clean.replace(shape, replacement);
  return clean;
}

export {
  redact
};
