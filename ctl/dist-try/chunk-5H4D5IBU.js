import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  gatewayKind,
  serverKind
} from "./chunk-2YECXFWZ.js";
import {
  instanceStates
} from "./chunk-PLXNQLJS.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/kinds/instance.ts
var InstanceSpec = external_exports.object({ server: external_exports.string(), gateway: external_exports.string() });
var InstanceStatus = external_exports.object({
  state: external_exports.enum([...instanceStates, "unknown"]),
  /** CamelCase: ExitedEarly, InitializeTimeout, SpawnFailed, InstallFailed, ToolsListFailed, LineTooLong … */
  reason: external_exports.string().optional(),
  message: external_exports.string().optional(),
  exitCode: external_exports.number().int().optional(),
  signal: external_exports.string().optional(),
  lastLogLines: external_exports.array(external_exports.string()),
  protocolVersion: external_exports.string().optional(),
  startTime: external_exports.string().optional(),
  readyTime: external_exports.string().optional(),
  restartCount: external_exports.number().int(),
  inFlight: external_exports.number().int()
});
var spec = (resource) => resource.spec;
var status = (resource) => resource.status;
var instanceKind = {
  kind: "Instance",
  plural: "instances",
  aliases: ["instance", "inst"],
  scope: "workspace",
  virtual: true,
  description: "One running replica of a server on one gateway. Never created or edited by hand; a deleted one is replaced.",
  specVersion: 1,
  spec: InstanceSpec,
  status: InstanceStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: "name", value: (resource) => resource.metadata.name },
    { name: "server", value: (resource) => spec(resource).server },
    { name: "gateway", value: (resource) => spec(resource).gateway },
    { name: "state", value: (resource) => status(resource).state ?? "unknown" },
    { name: "reason", value: (resource) => status(resource).reason ?? "" },
    { name: "restarts", value: (resource) => String(status(resource).restartCount ?? 0) },
    { name: "started", value: (resource) => status(resource).startTime ?? "" },
    { name: "mcp", wide: true, value: (resource) => status(resource).protocolVersion ?? "" },
    { name: "in-flight", wide: true, value: (resource) => String(status(resource).inFlight ?? 0) }
  ],
  actions: {},
  upgrade: (stored) => stored
};

// proto/src/kinds/tool.ts
var ToolSpec = external_exports.object({
  server: external_exports.string(),
  name: external_exports.string(),
  /** Name on the aggregated endpoint: `server__tool`, shortened over 64 characters. */
  exposedName: external_exports.string(),
  title: external_exports.string().optional(),
  description: external_exports.string().optional(),
  definition: external_exports.record(external_exports.string(), external_exports.unknown()),
  definitionHash: external_exports.string()
});
var ToolStatus = external_exports.object({ gateways: external_exports.array(external_exports.string()) });
var spec2 = (resource) => resource.spec;
var status2 = (resource) => resource.status;
var firstLine = (text) => (text ?? "").split("\n")[0].slice(0, 80);
var toolKind = {
  kind: "Tool",
  plural: "tools",
  aliases: ["tool"],
  scope: "workspace",
  virtual: true,
  description: "A tool that a server offers, as the gateways report it.",
  specVersion: 1,
  spec: ToolSpec,
  status: ToolStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: "name", value: (resource) => spec2(resource).exposedName },
    { name: "server", value: (resource) => spec2(resource).server },
    { name: "description", value: (resource) => firstLine(spec2(resource).description) },
    { name: "gateways", wide: true, value: (resource) => (status2(resource).gateways ?? []).join(",") },
    { name: "hash", wide: true, value: (resource) => spec2(resource).definitionHash.slice(0, 8) }
  ],
  actions: {},
  upgrade: (stored) => stored
};

// proto/src/kinds/enrollment.ts
var EnrollmentSpec = external_exports.object({
  maxUses: external_exports.number().int(),
  expiresAt: external_exports.string(),
  gatewayName: external_exports.string().optional(),
  expectedInstanceUid: external_exports.string().optional(),
  cidrs: external_exports.array(external_exports.string())
});
var enrollmentStates = ["open", "used", "expired", "revoked"];
var EnrollmentStatus = external_exports.object({
  state: external_exports.enum(enrollmentStates),
  usedCount: external_exports.number().int(),
  createdBy: external_exports.string(),
  /** `confirmedAt` is the first hello on the new credential. */
  redemptions: external_exports.array(external_exports.object({ gateway: external_exports.string(), source: external_exports.string(), at: external_exports.string(), confirmedAt: external_exports.string().optional() }))
});
var spec3 = (resource) => resource.spec;
var status3 = (resource) => resource.status;
var enrollmentKind = {
  kind: "Enrollment",
  plural: "enrollments",
  aliases: ["enrollment", "enr"],
  scope: "workspace",
  virtual: true,
  description: "A one-time URL that turns an installation into a gateway. Its labels become those of the gateway.",
  specVersion: 1,
  spec: EnrollmentSpec,
  status: EnrollmentStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: "name", value: (resource) => resource.metadata.name },
    { name: "environment", value: (resource) => resource.metadata.environment ?? "" },
    { name: "state", value: (resource) => status3(resource).state ?? "" },
    { name: "uses", value: (resource) => `${status3(resource).usedCount ?? 0}/${spec3(resource).maxUses}` },
    { name: "expires", value: (resource) => spec3(resource).expiresAt },
    { name: "gateways", value: (resource) => (status3(resource).redemptions ?? []).map((one) => one.gateway).join(",") }
  ],
  actions: {
    revoke: { access: { verb: "delete", on: "enrollments" }, description: "Voids the token; refused once it is used" }
  },
  upgrade: (stored) => stored
};

// proto/src/kinds.ts
var kinds = [serverKind, gatewayKind, instanceKind, toolKind, enrollmentKind];
function findKind(word) {
  const wanted = word.toLowerCase();
  return kinds.find((one) => one.kind.toLowerCase() === wanted || one.plural === wanted || one.aliases.includes(wanted));
}

export {
  enrollmentKind,
  instanceKind,
  toolKind,
  kinds,
  findKind
};
