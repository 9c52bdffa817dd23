import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/durations.ts
var unitMs = { ms: 1, s: 1e3, m: 6e4, h: 36e5, d: 864e5 };
var Duration = external_exports.string().regex(/^\d{1,9}(ms|s|m|h|d)$/, "must be a whole number with a unit: ms, s, m, h or d (e.g. 30s)");
function durationMs(text) {
  const match = /^(\d+)(ms|s|m|h|d)$/.exec(text);
  if (!match) throw new RangeError(`not a duration: ${text}`);
  return Number(match[1]) * unitMs[match[2]];
}

export {
  Duration,
  durationMs
};
