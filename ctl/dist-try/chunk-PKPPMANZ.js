import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Interrupted
} from "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/ask.ts
import { createInterface } from "node:readline/promises";
async function confirm({ env, settings, stopping }, question, flag) {
  if (!settings.input)
    throw new McpgError("invalid", "needs_confirmation", `${question} Nobody can be asked here.`, { hint: `answer with ${flag}` });
  const lines = createInterface({ input: env.stdin, output: env.stderr });
  try {
    return /^y(es)?$/i.test((await lines.question(`${question} [y/N] `, { signal: stopping })).trim());
  } catch {
    throw new Interrupted();
  } finally {
    lines.close();
  }
}

export {
  confirm
};
