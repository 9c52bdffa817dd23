import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  applyObjects,
  printResults
} from "./chunk-FDGSIMWD.js";
import {
  readManifests
} from "./chunk-HSCJXWYJ.js";
import "./chunk-LER2A23K.js";
import "./chunk-RWRD3TI4.js";
import "./chunk-4SRI2MZ2.js";
import "./chunk-4URGEBAN.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-ZQK2QCVJ.js";
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
  const isPlan = options.dryRun === "server";
  const isStale = results.some(({ result }) => result === "conflict");
  const isWaiting = options.wait === true && !isPlan && !isStale;
  const isOneObject = isWaiting && (context.settings.output === "json" || context.settings.output === "yaml");
  if (!isOneObject) await printResults(context, results, isPlan);
  if (isStale) {
    context.say("hint: somebody changed it in between: mcpg-ctl diff -f <file>, then apply without resourceVersion or with the new one");
    return 6;
  }
  if (!isWaiting) return 0;
  const { printWaited, waitForServers } = await import("./wait-for-servers-KQO7NVE6.js");
  const names = results.filter(({ kind, result }) => kind === "Server" && result !== "deleted").map(({ name }) => name);
  const waited = await waitForServers(context, api, names, timeoutMs);
  if (isOneObject) await printResults(context, results, isPlan, waited.workloads);
  else if (context.settings.output !== "name" && context.settings.output !== "ndjson") printWaited(context, waited, options.timeout);
  return waited.exitCode;
}
export {
  run
};
