import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  serverDefaults
} from "./chunk-2YECXFWZ.js";

// ctl/src/output/ladder.ts
function ladder({ env, settings }) {
  const isLive = env.isTTY.stderr && !settings.quiet;
  const steps = /* @__PURE__ */ new Map();
  let drawn = 0;
  return { set, clear };
  function set(name, phase, text = "") {
    const before = steps.get(name);
    if (before?.phase === phase && before.text === text) return;
    steps.set(name, { phase, text });
    if (settings.quiet) return;
    if (isLive) draw();
    else env.stderr.write(`${line(name, phase, text)}
`);
  }
  function clear() {
    drawn = 0;
    steps.clear();
  }
  function draw() {
    const lines = [...steps].map(([name, { phase, text }]) => line(name, phase, text).slice(0, Math.max(20, env.columns - 1)));
    env.stderr.write(`${drawn > 0 ? `\x1B[${drawn}A` : ""}${lines.map((one) => `\x1B[2K${one}
`).join("")}`);
    drawn = lines.length;
  }
}
var marks = { running: "\u2026", done: "\u2713", failed: "\u2717", skipped: "-" };
var line = (name, phase, text) => `${marks[phase]} ${name.padEnd(16)} ${text}`.trimEnd();

// ctl/src/workloads.ts
var silent = /* @__PURE__ */ new Set(["offline", "stopped", "never_seen", "revoked", "unknown"]);
function workloadsOf(server, gateways) {
  const { metadata } = server;
  const status = server.status;
  const row = { server: metadata.name, lastLogLines: [], reason: "", message: "" };
  if ((status.observedGeneration ?? 0) < metadata.generation)
    return [{ ...row, gateway: "", verdict: "pending", state: "pending", reason: "NotObserved" }];
  const unplaced = status.conditions?.find(({ type, status: value }) => type === "Unplaced" && value === "True");
  if (unplaced) return [{ ...row, gateway: "", verdict: "unplaced", state: "Unplaced", reason: unplaced.reason, message: unplaced.message }];
  const placed = status.gateways ?? [];
  if (placed.length === 0) return [{ ...row, gateway: "", verdict: "pending", state: "pending", reason: "" }];
  const wanted = server.spec.state ?? serverDefaults.state;
  return placed.map((one) => ({ ...row, ...judge(one, wanted, gateways.get(one.gateway)) }));
}
function judge(one, wanted, gateway) {
  const { gateway: name, state, reason = "", message = "", lastLogLines = [] } = one;
  const row = { gateway: name, state, reason, message, lastLogLines };
  const connection = gateway?.status?.connection;
  if (one.heldBack) return { ...row, verdict: "failed", state: "HeldBack", reason: one.heldBack.reason, message: one.heldBack.message };
  if (connection && silent.has(connection))
    return { ...row, verdict: "offline", state: connection, reason: "", message: `gateway is ${connection.replace("_", " ")}` };
  if (wanted === "stopped") return { ...row, verdict: state === "stopped" ? "ok" : "pending" };
  if (state === "ready") return { ...row, verdict: isApplied(gateway) ? "ok" : "pending" };
  return { ...row, verdict: state === "failed" ? "failed" : "pending" };
}
function isApplied(gateway) {
  const config = gateway?.status?.config;
  return !config?.desired || config.applied?.hash === config.desired.hash;
}

export {
  ladder,
  workloadsOf
};
