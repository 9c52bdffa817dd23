import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  watch
} from "./chunk-THYHKUTR.js";
import "./chunk-6SWOAVZM.js";
import "./chunk-PDDNFTZZ.js";
import {
  ladder,
  phases,
  workloadsOf
} from "./chunk-UZIFTAMW.js";
import {
  gatewayKind,
  serverKind
} from "./chunk-2YECXFWZ.js";
import {
  oneLine,
  table
} from "./chunk-4XWXZLT6.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import {
  Interrupted
} from "./chunk-J4ZBDK6U.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/wait-for-servers.ts
var settleMs = 3e3;
async function waitForServers(context, api, names, timeoutMs) {
  if (names.length === 0) return 0;
  const servers = /* @__PURE__ */ new Map();
  const gateways = /* @__PURE__ */ new Map();
  const failedSince = /* @__PURE__ */ new Map();
  const progress = ladder(context);
  const done = new AbortController();
  const timer = setTimeout(() => done.abort(), timeoutMs);
  const recheck = setInterval(look, 500);
  let workloads = [];
  let isComplete = false;
  try {
    const signal = AbortSignal.any([context.stopping, done.signal]);
    for await (const { type, object } of watch(api, { kinds: [serverKind.kind, gatewayKind.kind], signal, say: context.say })) {
      const objects = object?.kind === serverKind.kind ? servers : gateways;
      if (type === "BOOKMARK") isComplete = true;
      else if (type === "EXPIRED") [servers, gateways].forEach((one) => one.clear());
      else if (object && type === "DELETED") objects.delete(object.metadata.name);
      else if (object) objects.set(object.metadata.name, object);
      look();
    }
  } finally {
    clearTimeout(timer);
    clearInterval(recheck);
  }
  if (context.stopping.aborted) throw new Interrupted(`stopped waiting, the work goes on; wait again with: ${context.commandLine}`);
  return report(context, workloads, timeoutMs);
  function look() {
    if (!isComplete || done.signal.aborted) return;
    workloads = names.flatMap((name) => {
      const server = servers.get(name);
      return server ? workloadsOf(server, gateways) : [];
    });
    for (const one of workloads)
      progress.set(
        `${one.server}${one.gateway ? `@${one.gateway}` : ""}`,
        phases[one.verdict],
        oneLine([one.state, one.reason].filter(Boolean).join(" "))
      );
    if (workloads.every(hasEnded)) done.abort();
  }
  function hasEnded(one) {
    const key = `${one.server}@${one.gateway}`;
    if (one.verdict !== "failed") failedSince.delete(key);
    if (one.verdict === "pending") return false;
    if (one.verdict !== "failed" || one.state === "HeldBack") return true;
    if (!failedSince.has(key)) failedSince.set(key, Date.now());
    return Date.now() - (failedSince.get(key) ?? 0) >= settleMs;
  }
}
function report({ settings, print, say }, workloads, timeoutMs) {
  const of = (verdict) => workloads.filter((one) => one.verdict === verdict);
  if (settings.output === "json") print(JSON.stringify({ workloads }, null, 2));
  else if (settings.output !== "name") {
    const rows = workloads.map(({ server, gateway, state, reason, message }) => [server, gateway || "-", state, reason, message]);
    table(["server", "gateway", "state", "reason", "message"], rows).forEach((line) => print(line));
  }
  for (const { server, gateway, lastLogLines } of of("failed")) {
    if (lastLogLines.length > 0) say(`
last lines of ${server} on ${gateway}:`);
    lastLogLines.slice(-10).forEach((line) => say(`  ${oneLine(line)}`));
  }
  for (const { server, message } of of("unplaced")) say(`${server} is Unplaced: ${message || "no gateway matches its placement"}`);
  for (const { server, gateway, state } of of("offline"))
    say(`${gateway} is ${state.replace("_", " ")}: it gets ${server} when it comes back`);
  if (of("failed").length > 0) {
    say(`hint: mcpg-ctl describe server ${of("failed")[0].server}`);
    return 7;
  }
  if (of("pending").length > 0) {
    say(`gave up after ${timeoutMs / 1e3} s; the work goes on`);
    return 8;
  }
  return of("unplaced").length > 0 ? 7 : 0;
}
export {
  waitForServers
};
