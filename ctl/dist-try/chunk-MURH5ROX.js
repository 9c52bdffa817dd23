import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Duration,
  durationMs
} from "./chunk-FLYOD2TJ.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/duration-option.ts
function durationOption(flag, text) {
  const parsed = Duration.safeParse(text);
  if (!parsed.success)
    throw new McpgError("invalid", "usage", `${flag} ${text} is no duration.`, { hint: "write it like 500ms, 30s, 5m, 2h or 1d" });
  return durationMs(parsed.data);
}

export {
  durationOption
};
