import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  listObjects,
  readTargets
} from "./chunk-P6I2SHZC.js";
import "./chunk-LER2A23K.js";
import "./chunk-RWRD3TI4.js";
import "./chunk-PL4C277S.js";
import {
  fieldOrder,
  toYaml
} from "./chunk-5HLJ4IAE.js";
import "./chunk-4URGEBAN.js";
import {
  instanceKind,
  toolKind
} from "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import {
  relative
} from "./chunk-TZZTGTTZ.js";
import {
  harmless,
  oneLine,
  pairs,
  table
} from "./chunk-4XWXZLT6.js";
import "./chunk-76733H5L.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/output/describe-object.ts
var maxLogLines = 20;
function describeObject(kind, resource, related) {
  const { metadata, spec, status } = resource;
  const scope = [metadata.org, metadata.workspace, metadata.environment].filter(Boolean).join("/");
  return [
    ...pairs([
      ["Kind", kind.kind],
      ["Name", metadata.name],
      ...scope ? [["Scope", scope]] : [],
      ["Labels", mapLine(metadata.labels)],
      ...Object.keys(metadata.annotations).length > 0 ? [["Annotations", oneLine(mapLine(metadata.annotations))]] : [],
      ["Created", `${metadata.createdAt} (${relative(metadata.createdAt)})`],
      ["Generation", `${metadata.generation}`]
    ]),
    ...section("Spec", block(fieldOrder(kind.spec, spec))),
    ...statusSections(kind, status, related)
  ];
}
function statusSections(kind, status, related) {
  switch (kind.kind) {
    case "Server":
      return serverSections(status, related);
    case "Gateway":
      return gatewaySections(status, related);
    case "Instance":
      return instanceSections(status);
    default:
      return section("Status", block(status));
  }
}
function serverSections({ ready, desired, placed, conditions = [], gateways = [] }, { instances, tools }) {
  const rows = gateways.map((one) => [
    one.gateway,
    one.heldBack ? "HeldBack" : one.state,
    `${one.ready}/${one.desired}`,
    String(one.restarts),
    one.resolvedVersion ?? "",
    one.reason ?? "",
    one.message ?? ""
  ]);
  const heldBack = gateways.filter((one) => one.heldBack);
  return [
    ...section(
      "Status",
      pairs([
        ["Ready", `${ready ?? 0}/${desired ?? 0}`],
        ["Placed on", `${placed ?? 0} gateways`]
      ])
    ),
    ...conditionSection(conditions),
    ...section("Gateways", gateways.length > 0 ? table(["name", "state", "ready", "restarts", "version", "reason", "message"], rows) : []),
    ...section(
      "Held back",
      heldBack.flatMap(({ gateway, heldBack: hold }) => [
        `${gateway}: ${hold.reason}, ${oneLine(hold.message)} (since ${relative(hold.since)})`,
        hold.running ? `  still running: ${hold.running}` : "  nothing of it runs there"
      ])
    ),
    ...heldBack.length > 0 ? ["  change the server, or try the same again: mcpg-ctl server restart <name> --retry"] : [],
    ...instanceTable(instances),
    ...section(
      "Tools",
      tools.length > 0 ? table(
        ["name", "exposed as", "title"],
        tools.map(({ spec }) => [String(spec["name"]), String(spec["exposedName"]), String(spec["title"] ?? "")])
      ) : []
    ),
    ...gateways.filter(({ lastLogLines = [] }) => lastLogLines.length > 0).flatMap((one) => logSection(`Last log lines on ${one.gateway}${exitText(one)}`, one.lastLogLines ?? []))
  ];
}
function gatewaySections(status, { instances }) {
  const { connection, config, health, servers, conditions = [] } = status;
  const point = (one) => one ? `generation ${one.generation}, ${one.hash.slice(0, 12)}` : "none";
  return [
    ...section(
      "Status",
      pairs([
        ["Connection", `${connection ?? "unknown"}${status.lastSeenAt ? `, last seen ${relative(status.lastSeenAt)}` : ""}`],
        ["Config", [config?.state ?? "none", config?.reason, config?.message && oneLine(config.message)].filter(Boolean).join(", ")],
        ["Health", `${health ?? "unknown"}, ${servers?.ready ?? 0}/${servers?.total ?? 0} servers ready`]
      ])
    ),
    ...section(
      "Config",
      pairs([
        ["Desired", point(config?.desired)],
        ["Applied", point(config?.applied)],
        ["Last good", point(config?.lkg)]
      ])
    ),
    ...section(
      "Held back",
      (config?.heldBack ?? []).map((hold) => `${hold.server}: ${hold.reason}, ${oneLine(hold.message)} (since ${relative(hold.since)})`)
    ),
    ...conditionSection(conditions),
    ...section(
      "Host",
      pairs([
        ["Hostname", status.hostname ?? ""],
        ["Platform", status.platform ?? ""],
        ["Version", status.version ?? ""],
        ["Endpoints", (status.endpoints ?? []).join(", ")],
        ["Sessions", String(status.activeSessions ?? 0)],
        ["Reports", mapLine(status.reportedLabels ?? {})],
        ["Enrolled", status.enrolledAt ?? ""]
      ])
    ),
    ...instanceTable(instances)
  ];
}
function instanceSections({ lastLogLines = [], ...status }) {
  return [...section("Status", block(status)), ...logSection("Last log lines", lastLogLines)];
}
function instanceTable(instances) {
  const rows = instances.map(({ metadata, spec, status }) => {
    const { state, reason, restartCount, startTime } = status;
    return [
      metadata.name,
      String(spec["server"]),
      String(spec["gateway"]),
      state ?? "",
      reason ?? "",
      String(restartCount ?? 0),
      relative(startTime ?? "")
    ];
  });
  return section("Instances", rows.length > 0 ? table(["name", "server", "gateway", "state", "reason", "restarts", "started"], rows) : []);
}
function conditionSection(conditions) {
  const rows = conditions.map(({ type, status, reason, message, lastTransitionTime }) => [
    type,
    status,
    reason,
    relative(lastTransitionTime),
    message
  ]);
  return section("Conditions", rows.length > 0 ? table(["type", "status", "reason", "since", "message"], rows) : []);
}
var section = (title, lines) => lines.length === 0 ? [] : ["", `${title}:`, ...lines.map((line) => `  ${line}`.trimEnd())];
var logSection = (title, lines) => section(title, lines.slice(-maxLogLines).map(oneLine));
var block = (value) => harmless(toYaml(value)).trimEnd().split("\n");
var mapLine = (map) => Object.entries(map).map(([key, value]) => `${key}=${value}`).join(", ") || "none";
function exitText({ exitCode, reason }) {
  return exitCode === void 0 ? "" : ` (${reason ? `${reason}, ` : ""}exit code ${exitCode})`;
}

// ctl/src/commands/describe.ts
async function run(context, args) {
  const { settings, print } = context;
  const { kinds, names } = readTargets(args);
  const api = await context.api();
  const found = await Promise.all(
    kinds.map(async (kind) => (await listObjects(api, kind, { names })).map((resource) => ({ kind, resource })))
  );
  const all = found.flat();
  if (settings.output === "json")
    return print(JSON.stringify(all.length === 1 ? all[0].resource : { items: all.map(({ resource }) => resource) }, null, 2));
  if (settings.output === "yaml") {
    const { toYaml: toYaml2 } = await import("./print-form-SPX65XQA.js");
    return all.forEach(({ resource }, index) => print(`${index > 0 ? "---\n" : ""}${toYaml2(resource).trimEnd()}`));
  }
  if (all.length === 0) context.say(`no ${kinds.map(({ plural }) => plural).join(", ")} found`);
  for (const [index, { kind, resource }] of all.entries()) {
    if (index > 0) print("");
    describeObject(kind, resource, await relatedTo(api, kind, resource)).forEach((line) => print(line));
  }
}
async function relatedTo(api, kind, { metadata }) {
  if (kind.kind !== "Server" && kind.kind !== "Gateway") return { instances: [], tools: [] };
  const field = kind.kind.toLowerCase();
  const instances = (await listObjects(api, instanceKind)).filter(({ spec }) => spec[field] === metadata.name);
  const tools = kind.kind === "Server" ? (await listObjects(api, toolKind)).filter(({ spec }) => spec["server"] === metadata.name) : [];
  return { instances, tools };
}
export {
  run
};
