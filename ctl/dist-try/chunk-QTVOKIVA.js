import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/names.ts
var Name = external_exports.string().regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be 1-63 of a-z, 0-9 and -, and begin and end with a letter or digit");
var reservedNames = /* @__PURE__ */ new Set(["apply", "mcp", "watch", "events", "health", "new", "all"]);
var labelPart = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
var labelPrefix = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
function isLabelKey(key) {
  const slash = key.indexOf("/");
  return slash < 0 ? labelPart.test(key) : labelPrefix.test(key.slice(0, slash)) && labelPart.test(key.slice(slash + 1));
}
var Labels = external_exports.record(external_exports.string(), external_exports.string()).superRefine((labels, ctx) => {
  const entries = Object.entries(labels);
  if (entries.length > 64) ctx.addIssue({ code: "custom", message: `${entries.length} labels, at most 64 are allowed` });
  for (const [key, value] of entries) {
    if (!isLabelKey(key)) ctx.addIssue({ code: "custom", path: [key], message: "is not a label key: [prefix/]name, 1-63 of A-Za-z0-9-_." });
    if (value !== "" && !labelPart.test(value))
      ctx.addIssue({ code: "custom", path: [key], message: "is not a label value: at most 63 of A-Za-z0-9-_." });
  }
});
var Annotations = external_exports.record(external_exports.string().min(1).max(317), external_exports.string()).refine((all) => JSON.stringify(all).length <= 262144, "annotations take more than 256 KiB");
var InstanceUid = external_exports.string().regex(/^[a-z0-9-]{1,63}$/, "must be 1-63 of a-z, 0-9 and -");

export {
  Name,
  reservedNames,
  Labels,
  Annotations,
  InstanceUid
};
