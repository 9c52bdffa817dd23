import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  configFailures,
  configStates,
  connectionStates,
  healthStates,
  serverStates
} from "./chunk-PLXNQLJS.js";
import {
  Annotations,
  Labels,
  Name
} from "./chunk-QTVOKIVA.js";
import {
  Duration
} from "./chunk-FLYOD2TJ.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/kinds/kind.ts
var Metadata = external_exports.object({
  name: external_exports.string(),
  uid: external_exports.string(),
  org: external_exports.string().optional(),
  workspace: external_exports.string().optional(),
  environment: external_exports.string().optional(),
  project: external_exports.string().optional(),
  labels: external_exports.record(external_exports.string(), external_exports.string()),
  annotations: external_exports.record(external_exports.string(), external_exports.string()),
  generation: external_exports.number().int(),
  resourceVersion: external_exports.string(),
  createdAt: external_exports.string(),
  updatedAt: external_exports.string()
});
var Condition = external_exports.object({
  type: external_exports.enum(["Ready", "Progressing", "Available", "Degraded", "HeldBack", "Unplaced"]),
  status: external_exports.enum(["True", "False", "Unknown"]),
  reason: external_exports.string(),
  message: external_exports.string(),
  lastTransitionTime: external_exports.string()
});
var Resource = external_exports.object({
  kind: external_exports.string(),
  metadata: Metadata,
  spec: external_exports.record(external_exports.string(), external_exports.unknown()),
  status: external_exports.record(external_exports.string(), external_exports.unknown())
});
var ResourceInput = external_exports.strictObject({
  kind: external_exports.string().optional(),
  apiVersion: external_exports.string().optional(),
  metadata: external_exports.strictObject({
    name: Name,
    labels: Labels.optional(),
    annotations: Annotations.optional(),
    resourceVersion: external_exports.string().optional()
  }),
  spec: external_exports.record(external_exports.string(), external_exports.unknown())
});

// proto/src/kinds/gateway.ts
var GatewaySpec = external_exports.object({
  origin: external_exports.enum(["enrolled", "managed"]),
  instanceUid: external_exports.string()
});
var ConfigPoint = external_exports.object({ generation: external_exports.number().int(), hash: external_exports.string(), at: external_exports.string().optional() });
var GatewayStatus = external_exports.object({
  observedGeneration: external_exports.number().int(),
  /** The three axes are three facts and never one badge (`console.md` A2). */
  connection: external_exports.enum(connectionStates),
  config: external_exports.object({
    /** `waiting`: a newer config exists and the gateway has not answered it yet; `none`: there is no config. */
    state: external_exports.enum([...configStates, "waiting", "none"]),
    reason: external_exports.enum(configFailures).optional(),
    message: external_exports.string().optional(),
    desired: ConfigPoint.optional(),
    applied: ConfigPoint.optional(),
    lkg: ConfigPoint.optional(),
    heldBack: external_exports.array(external_exports.object({ server: external_exports.string(), reason: external_exports.string(), message: external_exports.string(), since: external_exports.string() }))
  }),
  health: external_exports.enum(healthStates),
  servers: external_exports.object({ ready: external_exports.number().int(), total: external_exports.number().int() }),
  activeSessions: external_exports.number().int(),
  memoryRssBytes: external_exports.number().optional(),
  version: external_exports.string().optional(),
  platform: external_exports.string().optional(),
  hostname: external_exports.string().optional(),
  endpoints: external_exports.array(external_exports.string()),
  reportedLabels: external_exports.record(external_exports.string(), external_exports.string()),
  bootId: external_exports.string().optional(),
  sessionEpoch: external_exports.number().int(),
  enrolledAt: external_exports.string(),
  connectedAt: external_exports.string().optional(),
  /** Of any frame; at most a minute old for a gateway that is online. */
  lastSeenAt: external_exports.string().optional(),
  conditions: external_exports.array(Condition)
});
var status = (resource) => resource.status;
var shortHash = (hash) => hash?.slice(0, 8) ?? "-";
var gatewayKind = {
  kind: "Gateway",
  plural: "gateways",
  aliases: ["gateway", "gw"],
  scope: "workspace",
  virtual: true,
  description: "One enrolled gateway agent. Its labels are set by the enrollment and by operators.",
  specVersion: 1,
  spec: GatewaySpec,
  status: GatewayStatus,
  oneOf: [],
  sensitive: [],
  references: () => [],
  columns: [
    { name: "name", value: (resource) => resource.metadata.name },
    { name: "environment", value: (resource) => resource.metadata.environment ?? "" },
    { name: "connection", value: (resource) => status(resource).connection ?? "unknown" },
    { name: "config", value: (resource) => status(resource).config?.state ?? "none" },
    { name: "health", value: (resource) => status(resource).health ?? "unknown" },
    { name: "servers", value: (resource) => `${status(resource).servers?.ready ?? 0}/${status(resource).servers?.total ?? 0}` },
    { name: "version", value: (resource) => status(resource).version ?? "" },
    { name: "last-seen", value: (resource) => status(resource).lastSeenAt ?? "" },
    { name: "applied", wide: true, value: (resource) => shortHash(status(resource).config?.applied?.hash) },
    { name: "desired", wide: true, value: (resource) => shortHash(status(resource).config?.desired?.hash) },
    { name: "endpoint", wide: true, value: (resource) => status(resource).endpoints?.[0] ?? "" },
    { name: "host", wide: true, value: (resource) => status(resource).hostname ?? "" }
  ],
  actions: {
    revoke: { access: { verb: "delete", on: "gateways" }, description: "Voids the credential and ends the stream" }
  },
  upgrade: (stored) => stored
};

// node_modules/.pnpm/string-argv@0.4.0/node_modules/string-argv/index.js
function parseArgsStringToArgv(value, env, file) {
  const myArray = [];
  if (env) {
    myArray.push(env);
  }
  if (file) {
    myArray.push(file);
  }
  let current = "";
  let inQuote = null;
  let hasToken = false;
  let i = 0;
  while (i < value.length) {
    const char = value[i];
    if (inQuote) {
      if (char === inQuote) {
        inQuote = null;
      } else {
        current += char;
      }
    } else {
      if (char === '"' || char === "'") {
        inQuote = char;
        hasToken = true;
      } else if (/\s/.test(char)) {
        if (hasToken) {
          myArray.push(current);
          current = "";
          hasToken = false;
        }
      } else {
        current += char;
        hasToken = true;
      }
    }
    i++;
  }
  if (hasToken) {
    myArray.push(current);
  }
  return myArray;
}

// proto/src/kinds/server.ts
var text = external_exports.string().max(32768);
var EnvironmentName = external_exports.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, "must be a name of an environment variable");
var Command = external_exports.union([external_exports.array(text).min(1), text.min(1)]).refine((command) => argvOf(command).length > 0 && argvOf(command)[0] !== "", "must name a program").describe("Program and arguments, as a list, or as a string split by POSIX quoting without expansion");
var PackageSource = external_exports.strictObject({
  runtime: external_exports.enum(["node", "python"]),
  name: external_exports.string().regex(/^(@[a-z0-9-~][a-z0-9-._~]*\/)?[A-Za-z0-9-~][A-Za-z0-9-._~]*$/, "must be a package name of the registry"),
  version: external_exports.string().max(128).optional().describe("Exact version or range; none: resolved once per gateway and kept"),
  args: external_exports.array(text).optional(),
  allowScripts: external_exports.boolean().optional().describe("Run the install scripts of the package and its dependencies (off)")
}).describe("A published package, installed into the cache of the gateway and started by its own executable");
var UrlSource = external_exports.strictObject({
  url: external_exports.url({ protocol: /^https?$/, error: "must be an http or https URL" }),
  transport: external_exports.enum(["auto", "streamable-http"]).optional(),
  headers: external_exports.array(external_exports.strictObject({ name: external_exports.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be a header name"), value: text })).optional()
}).describe("A server that runs elsewhere and speaks Streamable HTTP");
var EnvironmentVariable = external_exports.strictObject({ name: EnvironmentName, value: text });
var Placement = external_exports.strictObject({
  environments: external_exports.array(external_exports.string()).min(1).optional().describe("Names of environments; none: all of the workspace"),
  gatewaySelector: external_exports.record(external_exports.string(), external_exports.string()).optional().describe("Labels a gateway must have")
}).describe("Which gateways run it; absent: every gateway of the workspace");
var serverDefaults = {
  era: "auto",
  state: "running",
  required: true,
  startTimeout: "60s",
  callTimeout: "60s",
  stopGrace: "5s"
};
var ServerSpec = external_exports.strictObject({
  command: Command.optional(),
  package: PackageSource.optional(),
  url: UrlSource.optional(),
  env: external_exports.array(EnvironmentVariable).optional().describe("Variables of the process"),
  inheritEnv: external_exports.array(EnvironmentName).optional().describe("Variables of the gateway that the process may see"),
  cwd: text.optional().describe("Working folder; none: one of its own under the state dir"),
  era: external_exports.enum(["auto", "legacy", "modern"]).optional().describe("MCP era: legacy up to 2025-11-25, modern from 2026-07-28; auto probes"),
  placement: Placement.optional(),
  state: external_exports.enum(["running", "stopped"]).optional(),
  required: external_exports.boolean().optional().describe("false: neither gates a config nor the readiness of the gateway"),
  startTimeout: Duration.optional().describe("From spawn to the proof by initialize and tools/list (60s)"),
  callTimeout: Duration.optional().describe("One call; progress resets it, 10 min at most (60s)"),
  stopGrace: Duration.optional().describe("Between SIGTERM and SIGKILL (5s)")
}).superRefine((spec2, ctx) => {
  const given = serverSources.filter((source) => spec2[source] !== void 0);
  if (given.length !== 1)
    ctx.addIssue({
      code: "custom",
      message: `exactly one of command, package, url is needed, ${given.length === 0 ? "none is given" : `${given.join(" and ")} are given`}`
    });
  const seen = /* @__PURE__ */ new Set();
  spec2.env?.forEach((variable, index) => {
    if (seen.has(variable.name))
      ctx.addIssue({ code: "custom", path: ["env", index, "name"], message: `${variable.name} is given twice` });
    seen.add(variable.name);
  });
  for (const field of ["env", "inheritEnv", "cwd"])
    if (spec2.url && spec2[field] !== void 0)
      ctx.addIssue({ code: "custom", path: [field], message: "has no meaning beside url: nothing is started on the gateway" });
});
var serverSources = ["command", "package", "url"];
function argvOf(command) {
  return typeof command === "string" ? parseArgsStringToArgv(command) : command;
}
var ServerOnGateway = external_exports.object({
  gateway: external_exports.string(),
  environment: external_exports.string(),
  state: external_exports.enum([...serverStates, "pending", "unknown"]),
  reason: external_exports.string().optional(),
  message: external_exports.string().optional(),
  ready: external_exports.number().int(),
  desired: external_exports.number().int(),
  restarts: external_exports.number().int(),
  resolvedVersion: external_exports.string().optional(),
  lastLogLines: external_exports.array(external_exports.string()).optional(),
  exitCode: external_exports.number().int().optional(),
  /** Set while a revision of the server is held back on this gateway; lifted by a change or by `server restart --retry`. */
  heldBack: external_exports.object({ reason: external_exports.string(), message: external_exports.string(), since: external_exports.string(), running: external_exports.string().optional() }).optional(),
  reportedAt: external_exports.string().optional()
});
var ServerStatus = external_exports.object({
  observedGeneration: external_exports.number().int(),
  /** Sums over the gateways it is placed on. */
  ready: external_exports.number().int(),
  desired: external_exports.number().int(),
  placed: external_exports.number().int(),
  tools: external_exports.number().int(),
  conditions: external_exports.array(Condition),
  gateways: external_exports.array(ServerOnGateway)
});
var spec = (resource) => resource.spec;
var status2 = (resource) => resource.status;
var conditionOf = (resource) => status2(resource).conditions?.find((one) => one.status === "True" && one.type !== "Available");
function sourceOf({ command, package: source, url }) {
  if (source) return source.version ? `${source.name}@${source.version}` : source.name;
  return url ? url.url : argvOf(command ?? []).join(" ");
}
var serverKind = {
  kind: "Server",
  plural: "servers",
  aliases: ["server", "srv"],
  scope: "workspace",
  virtual: false,
  description: "Definition of an MCP server; the gateways it is placed on run instances of it.",
  specVersion: 1,
  spec: ServerSpec,
  status: ServerStatus,
  oneOf: [...serverSources],
  sensitive: [],
  references: () => [],
  columns: [
    { name: "name", value: (resource) => resource.metadata.name },
    { name: "source", value: (resource) => sourceOf(spec(resource)) },
    { name: "ready", value: (resource) => `${status2(resource).ready ?? 0}/${status2(resource).desired ?? 0}` },
    { name: "state", value: (resource) => spec(resource).state ?? serverDefaults.state },
    { name: "tools", value: (resource) => String(status2(resource).tools ?? 0) },
    { name: "reason", value: (resource) => conditionOf(resource)?.reason ?? "" },
    { name: "gateways", wide: true, value: (resource) => (status2(resource).gateways ?? []).map((one) => one.gateway).join(",") }
  ],
  actions: {
    start: { access: { verb: "run", on: "servers" }, description: "Sets spec.state to running" },
    stop: { access: { verb: "run", on: "servers" }, description: "Sets spec.state to stopped" },
    restart: {
      access: { verb: "run", on: "servers" },
      description: "Starts new instances and drains the old ones; retry lifts a hold, upgrade resolves the package version again",
      body: external_exports.strictObject({ retry: external_exports.boolean().optional(), upgrade: external_exports.boolean().optional() })
    }
  },
  upgrade: (stored) => stored
};

export {
  Resource,
  ResourceInput,
  gatewayKind,
  serverDefaults,
  ServerSpec,
  argvOf,
  serverKind
};
