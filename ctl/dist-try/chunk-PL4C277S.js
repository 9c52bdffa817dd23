import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Resource
} from "./chunk-2YECXFWZ.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/rest/list.ts
var ListQuery = external_exports.strictObject({
  limit: external_exports.coerce.number().int().min(1).max(500).default(100),
  cursor: external_exports.string().max(2048).optional(),
  labelSelector: external_exports.string().max(4096).optional(),
  q: external_exports.string().max(256).optional(),
  sort: external_exports.enum(["name", "-name", "createdAt", "-createdAt", "updatedAt", "-updatedAt"]).default("name")
});
var listOf = (item) => external_exports.object({ items: external_exports.array(item), nextCursor: external_exports.string().optional(), total: external_exports.number().int().optional() });
var ResourceList = listOf(Resource);

export {
  ListQuery,
  listOf,
  ResourceList
};
