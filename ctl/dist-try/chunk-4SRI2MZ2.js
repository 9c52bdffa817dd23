import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  ResourceInput
} from "./chunk-2YECXFWZ.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/rest/apply.ts
var ApplyRequest = external_exports.strictObject({
  objects: external_exports.array(ResourceInput.required({ kind: true })).max(5e3),
  prune: external_exports.string().max(4096).optional()
});
var FieldDiff = external_exports.object({ path: external_exports.string(), before: external_exports.unknown().optional(), after: external_exports.unknown().optional() });
var ApplyResult = external_exports.object({
  kind: external_exports.string(),
  name: external_exports.string(),
  result: external_exports.enum(["created", "configured", "unchanged", "deleted", "conflict"]),
  diffs: external_exports.array(FieldDiff),
  /** Gateways that will run it after this change (servers only). */
  placedOn: external_exports.array(external_exports.string()).optional(),
  resourceVersion: external_exports.string().optional()
});
var ApplyResponse = external_exports.object({ dryRun: external_exports.boolean(), results: external_exports.array(ApplyResult) });

export {
  ApplyRequest,
  ApplyResponse
};
