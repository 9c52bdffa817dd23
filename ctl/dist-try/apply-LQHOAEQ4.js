import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  applyObjects,
  printResults
} from "./chunk-GU5ELPLS.js";
import {
  readManifests
} from "./chunk-HSCJXWYJ.js";
import "./chunk-LER2A23K.js";
import "./chunk-RWRD3TI4.js";
import "./chunk-4SRI2MZ2.js";
import "./chunk-4URGEBAN.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-4XWXZLT6.js";
import "./chunk-76733H5L.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import {
  durationOption
} from "./chunk-MURH5ROX.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/apply.ts
async function run(context, _args, options) {
  const timeoutMs = durationOption("--timeout", options.timeout);
  if (options.prune !== void 0 && options.prune.trim() === "")
    throw new McpgError("invalid", "usage", "--prune needs a label selector.", { hint: "e.g. --prune=team=tools" });
  const objects = await readManifests(context, options);
  if (options.dryRun === "client") {
    context.print(`${objects.length} ${objects.length === 1 ? "object is" : "objects are"} valid`);
    return 0;
  }
  const api = await context.api();
  const results = await applyObjects(api, objects, { dryRun: options.dryRun === "server", prune: options.prune });
  await printResults(context, results, options.dryRun === "server");
  if (results.some(({ result }) => result === "conflict")) {
    context.say("hint: somebody changed it in between: mcpg-ctl diff -f <file>, then apply without resourceVersion or with the new one");
    return 6;
  }
  if (!options.wait || options.dryRun) return 0;
  const { waitForServers } = await import("./wait-for-servers-MSADU4XE.js");
  const names = results.filter(({ kind, result }) => kind === "Server" && result !== "deleted").map(({ name }) => name);
  return waitForServers(context, api, names, timeoutMs);
}
export {
  run
};
