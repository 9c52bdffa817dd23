import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Resource
} from "./chunk-2YECXFWZ.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/rest/watch.ts
var watchTypes = ["ADDED", "MODIFIED", "DELETED", "STATUS", "BOOKMARK", "EXPIRED"];
var WatchEvent = external_exports.object({ type: external_exports.enum(watchTypes), object: Resource.optional() });
var WatchQuery = external_exports.strictObject({
  scope: external_exports.string().regex(/^[-a-z0-9]+\/[-a-z0-9]+$/, "must be <org>/<workspace>"),
  kinds: external_exports.string().optional(),
  since: external_exports.string().max(2048).optional()
});

export {
  WatchEvent,
  WatchQuery
};
