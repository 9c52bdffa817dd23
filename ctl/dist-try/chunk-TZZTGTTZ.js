import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// ctl/src/output/age.ts
var isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
function relative(text, now = Date.now()) {
  if (!isoTime.test(text)) return text;
  const seconds = Math.round((Date.parse(text) - now) / 1e3);
  return seconds > 0 ? `in ${span(seconds)}` : `${span(-seconds)} ago`;
}
function span(seconds) {
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}
function bytes(size) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let rest = size;
  while (rest >= 1024 && unit < units.length - 1) [rest, unit] = [rest / 1024, unit + 1];
  return `${unit === 0 ? rest : rest.toFixed(1)} ${units[unit]}`;
}

export {
  relative,
  span,
  bytes
};
