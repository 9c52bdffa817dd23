import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  InstanceUid,
  Labels,
  Name
} from "./chunk-QTVOKIVA.js";
import {
  Duration,
  durationMs
} from "./chunk-FLYOD2TJ.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/rest/enrollments.ts
var CreateEnrollment = external_exports.strictObject({
  name: Name.optional(),
  labels: Labels.optional(),
  ttl: Duration.refine((ttl) => durationMs(ttl) >= 1e3 && durationMs(ttl) <= 864e5, "must be between 1s and 24h").default("15m"),
  maxUses: external_exports.number().int().min(1).max(100).default(1),
  expectedInstanceUid: InstanceUid.optional(),
  cidrs: external_exports.array(external_exports.union([external_exports.cidrv4(), external_exports.cidrv6()])).max(64).optional()
}).superRefine((body, ctx) => {
  for (const field of ["name", "expectedInstanceUid"])
    if (body[field] !== void 0 && body.maxUses > 1)
      ctx.addIssue({ code: "custom", path: [field], message: "fits only one gateway, so maxUses must be 1" });
});
var CreatedEnrollment = external_exports.object({ name: external_exports.string(), url: external_exports.string(), command: external_exports.string(), expiresAt: external_exports.string() });

export {
  CreateEnrollment,
  CreatedEnrollment
};
