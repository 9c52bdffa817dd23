import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  applyObjects,
  isChange,
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
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-J4ZBDK6U.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/plan.ts
async function run(context, _args, options) {
  const objects = await readManifests(context, options);
  const results = await applyObjects(await context.api(), objects, { dryRun: true, prune: options.prune });
  await printResults(context, results, true);
  return options.exitCode && results.some(isChange) ? 1 : 0;
}
export {
  run
};
