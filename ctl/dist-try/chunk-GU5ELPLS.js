import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  showPosition
} from "./chunk-HSCJXWYJ.js";
import {
  workspacePath
} from "./chunk-RWRD3TI4.js";
import {
  ApplyResponse
} from "./chunk-4SRI2MZ2.js";
import {
  oneLine
} from "./chunk-4XWXZLT6.js";
import {
  ApiError
} from "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/apply-objects.ts
async function applyObjects(api, objects, { dryRun = false, prune } = {}) {
  try {
    const { body } = await api.call("POST", `${workspacePath(api.settings)}/apply`, {
      schema: ApplyResponse,
      query: dryRun ? { dryRun: true } : {},
      body: { objects: objects.map(({ kind, metadata, spec }) => ({ kind, metadata, spec })), ...prune ? { prune } : {} }
    });
    return body.results;
  } catch (error) {
    throw located(error, objects);
  }
}
function located(error, objects) {
  if (!(error instanceof McpgError) || error.violations.length === 0) return error;
  const { hint, cause, status } = error;
  const violations = error.violations.map((violation) => locate(violation, objects));
  const again = new McpgError(error.code, error.reason, error.message, { ...hint ? { hint } : {}, cause, status, violations });
  return new ApiError(again, error instanceof ApiError ? error.requestId : void 0);
}
function locate({ pointer, detail }, objects) {
  const match = /^(?:\/body)?\/objects\/(\d+)(\/.*)?$/.exec(pointer);
  const object = objects[Number(match?.[1])];
  if (!match || !object) return { pointer, detail };
  const inner = match[2] ?? "";
  return {
    pointer: showPosition(object.locate(inner || "/metadata/name")),
    detail: `${object.kind.toLowerCase()}/${object.metadata.name} ${inner} ${detail}`.replace(/ +/g, " ")
  };
}
var isChange = ({ result }) => result !== "unchanged";

// ctl/src/output/print-results.ts
var planned = {
  created: "would be created",
  configured: "would change",
  unchanged: "unchanged",
  deleted: "would be deleted",
  conflict: "conflict"
};
var signs = { created: "+", configured: "~", unchanged: " ", deleted: "-", conflict: "!" };
async function printResults({ settings, print, say }, results, isPlan) {
  const { output } = settings;
  if (output === "json") return print(JSON.stringify({ dryRun: isPlan, results }, null, 2));
  if (output === "ndjson") return results.forEach((one) => print(JSON.stringify(one)));
  if (output === "yaml") return print((await import("./print-form-SPX65XQA.js")).toYaml({ dryRun: isPlan, results }).trimEnd());
  if (output === "name") return results.forEach(({ kind, name }) => print(`${kind.toLowerCase()}/${name}`));
  for (const result of results) {
    const object = `${result.kind.toLowerCase()}/${result.name}`;
    print(isPlan ? `${signs[result.result]} ${object} ${planned[result.result]}` : `${object} ${result.result}`);
    if ((isPlan || output === "wide") && result.result === "configured") result.diffs.forEach((diff) => print(`    ${fieldLine(diff)}`));
    if (result.placedOn?.length === 0 && (result.result === "created" || result.result === "configured"))
      say(`note: ${object} is Unplaced: no gateway matches its placement`);
  }
  say(summary(results, isPlan));
}
function fieldLine({ path, before, after }) {
  if (before === void 0) return `+ ${path}: ${short(after)}`;
  if (after === void 0) return `- ${path}: ${short(before)}`;
  return `~ ${path}: ${short(before)} \u2192 ${short(after)}`;
}
function short(value) {
  const text = oneLine(JSON.stringify(value) ?? "");
  return text.length <= 160 ? text : `${text.slice(0, 159)}\u2026`;
}
function summary(results, isPlan) {
  const count = (wanted) => results.filter(({ result }) => result === wanted).length;
  const parts = ["created", "configured", "deleted", "unchanged", "conflict"].filter((result) => count(result) > 0).map((result) => `${count(result)} ${isPlan ? planned[result] : result}`);
  return parts.join(", ") || "nothing to do";
}

export {
  applyObjects,
  isChange,
  printResults
};
