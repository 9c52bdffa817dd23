import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  bytes,
  relative,
  span
} from "./chunk-TZZTGTTZ.js";
import {
  ControlStatus
} from "./chunk-374NUCXG.js";
import {
  pairs,
  table
} from "./chunk-ZQK2QCVJ.js";
import {
  findControlPlane,
  listGateways
} from "./chunk-DKPMSQBW.js";
import "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/status.ts
async function run(context) {
  const { settings, print } = context;
  const local = { controlPlane: await findControlPlane(settings.stateDir), gateways: await listGateways(settings.stateDir) };
  const { status, error, url } = await remoteStatus(context);
  const all = { stateDir: settings.stateDir, ...local, url, status, ...error ? { error: error.message } : {} };
  if (settings.output === "json") return print(JSON.stringify(all, null, 2));
  if (settings.output === "yaml") return print((await import("./print-form-SPX65XQA.js")).toYaml(all).trimEnd());
  print(`state dir: ${settings.stateDir}
`);
  const processes = [
    ...local.controlPlane ? [{ name: "control plane", ...local.controlPlane }] : [],
    ...local.gateways.map((gateway) => ({ ...gateway, name: `gateway ${gateway.name}` }))
  ];
  const rows = processes.map(({ name, pid, version, startedAt, endpoints }) => [
    name,
    "running",
    String(pid),
    version,
    relative(startedAt),
    Object.values(endpoints).join(" ")
  ]);
  if (!local.controlPlane) rows.unshift(["control plane", "not running", "", "", "", ""]);
  table(["program", "state", "pid", "version", "started", "endpoints"], rows).forEach((line) => print(line));
  print("");
  if (status) statusLines(status, url).forEach((line) => print(line));
  else print(`control plane at ${url}: ${error?.message ?? "no answer"}`);
}
function statusLines({ version, uptimeSeconds, authMode, database, gateways, servers }, url) {
  return pairs([
    ["control plane", `${version} at ${url}, up ${span(Math.round(uptimeSeconds))}`],
    ["sign-in", authMode],
    ["gateways", `${gateways.online} online of ${gateways.total}`],
    ["servers", String(servers)],
    ["database", `${database.engine}, ${bytes(database.sizeBytes)}, ${database.migrations} migrations`],
    [
      "rows",
      Object.entries(database.rows).map(([name, count]) => `${name} ${count}`).join(", ")
    ]
  ]);
}
async function remoteStatus(context) {
  const api = await context.api();
  try {
    const { body } = await api.call("GET", "/v1/control/status", { schema: ControlStatus, timeoutMs: 5e3 });
    return { url: api.url, status: body };
  } catch (error) {
    if (error instanceof McpgError) return { url: api.url, status: null, error };
    throw error;
  }
}
export {
  run
};
