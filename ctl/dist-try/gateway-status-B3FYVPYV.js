import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  relative
} from "./chunk-TZZTGTTZ.js";
import {
  oneLine,
  pairs
} from "./chunk-4XWXZLT6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/gateway-status.ts
async function run({ settings, print, say }, _args, { name }) {
  const { gatewayFacts } = await import("./main-VP543KBB.js");
  const all = await gatewayFacts(settings.stateDir, name);
  if (settings.output === "json") return print(JSON.stringify(name ? all[0] : { items: all }, null, 2));
  if (settings.output === "yaml") return print((await import("./print-form-SPX65XQA.js")).toYaml(name ? all[0] : all).trimEnd());
  if (all.length === 0) say(`no gateway agent has a folder under ${settings.stateDir}/gateways`);
  all.forEach((facts, index) => {
    if (index > 0) print("");
    pairs(linesOf(facts)).forEach((line) => print(line));
  });
}
function linesOf({ name, folder, state, problem, running, gateway, controlPlane, config, policy }) {
  const { lkg, applied, candidate, verdict } = config;
  return [
    ["agent", `${name} (${folder})`],
    [
      "process",
      running ? `running, pid ${running.pid}, since ${when(running.since)}, endpoint ${running.endpoint ?? "none"}` : "not running"
    ],
    ["credentials", problem ? `damaged: ${problem.message}${problem.hint ? ` (${problem.hint})` : ""}` : state.replace("_", " ")],
    ...gateway ? identityLines(gateway) : [],
    ["control plane", controlPlane ? contactText(controlPlane) : gateway?.controlPlaneEndpoints.join(", ") ?? "none yet"],
    ["last good", pointText(lkg)],
    ["applied", pointText(applied)],
    ...candidate ? [["candidate", `${pointText(candidate)}, ${candidate.attempts} attempts`]] : [],
    ...verdict ? [["last verdict", oneLine(`generation ${verdict.generation} ${verdict.state} ${verdict.reason ?? ""} ${verdict.message}`)]] : [],
    ...config.damaged.length > 0 ? [["damaged files", config.damaged.join(", ")]] : [],
    [
      "policy",
      policy.problem ? `refused: ${oneLine(policy.problem.message)}` : policy.rules ? `${JSON.stringify(policy.rules)} (${policy.path})` : "everything but install scripts"
    ]
  ];
}
function identityLines(gateway) {
  const { gatewayId, org, workspace, environment, instanceUid, enrolledAt, credential } = gateway;
  return [
    ["gateway", `${gateway.name} in ${org}/${workspace}/${environment} (${gatewayId})`],
    ["instance uid", instanceUid],
    ["credential", `${credential.kind}, issue ${credential.sequence}`],
    ["registered", when(enrolledAt)]
  ];
}
var contactText = ({ endpoint, connectedAt, lastHeardAt }) => `${endpoint}, connected ${when(connectedAt)}, last heard ${when(lastHeardAt)}`;
var pointText = (point) => point ? `generation ${point.generation}, ${point.hash}` : "none";
var when = (text) => `${text} (${relative(text)})`;
export {
  run
};
