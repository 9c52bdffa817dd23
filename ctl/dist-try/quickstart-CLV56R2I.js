import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  findObject,
  listObjects
} from "./chunk-P6I2SHZC.js";
import {
  ladder,
  workloadsOf
} from "./chunk-OQ35VHM2.js";
import "./chunk-LER2A23K.js";
import {
  environmentPath,
  listPath,
  objectPath,
  workspacePath
} from "./chunk-RWRD3TI4.js";
import {
  CreatedEnrollment
} from "./chunk-5TN2U3Z3.js";
import {
  ResourceList
} from "./chunk-PL4C277S.js";
import {
  ApplyResponse
} from "./chunk-4SRI2MZ2.js";
import {
  isReady
} from "./chunk-M5ATACPQ.js";
import {
  programFlags
} from "./chunk-HWBIDZ7R.js";
import "./chunk-5H4D5IBU.js";
import {
  gatewayKind,
  serverKind
} from "./chunk-2YECXFWZ.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import {
  openBrowser,
  whyNoBrowser
} from "./chunk-AQH2L5XK.js";
import {
  quickstartGateway
} from "./chunk-MSDRHXDG.js";
import "./chunk-MURH5ROX.js";
import "./chunk-FLYOD2TJ.js";
import {
  findControlPlane,
  listGateways
} from "./chunk-DKPMSQBW.js";
import {
  isSameProcess
} from "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import {
  startDetached,
  untilReady
} from "./chunk-WHGGA4FS.js";
import {
  Interrupted
} from "./chunk-J4ZBDK6U.js";
import "./chunk-2S372OHJ.js";
import {
  prepareStateDir
} from "./chunk-SH3L2FFJ.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/quickstart.ts
import { mkdirSync } from "node:fs";
import { join as join2 } from "node:path";

// ctl/src/quickstart/local-gateway.ts
import { existsSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
var readyTimeoutMs = 6e4;
var stopTimeoutMs = 2e4;
async function startLocalGateway(context, api, grpc, isPortFixed) {
  const left = await findLocalGateway(context);
  if (left && isPortFixed) return { endpoint: left.endpoints["mcp"] ?? "", process: left };
  if (left) await stopProcess(left);
  const { variables, flags } = await credentials(context, api);
  const { globals, settings } = context;
  const args = [
    "gateway",
    "--name",
    quickstartGateway,
    "--state-dir",
    settings.stateDir,
    "--cp-grpc",
    grpc,
    ...flags,
    ...globals.jsonLogs ? ["--json-logs"] : []
  ];
  const started = await startDetached(context, `gateway-${quickstartGateway}`, args, { ...variables, MCPG_LOG_FILE: void 0 });
  try {
    const file = await untilReady(context, started, "The gateway", readyTimeoutMs, async () => {
      const found = await findLocalGateway(context);
      return found?.pid === started.pid ? found : null;
    });
    return { endpoint: file.endpoints["mcp"] ?? "", process: file };
  } catch (error) {
    if (!started.hasExited()) process.kill(started.pid, "SIGTERM");
    throw error;
  }
}
async function findLocalGateway({ settings }) {
  return (await listGateways(settings.stateDir)).find((one) => one.name === quickstartGateway) ?? null;
}
async function stopProcess({ pid, startTime }) {
  if (!isSameProcess(pid, startTime)) return;
  process.kill(pid, "SIGTERM");
  const deadline = performance.now() + stopTimeoutMs;
  while (isSameProcess(pid, startTime)) {
    if (performance.now() > deadline) process.kill(pid, "SIGKILL");
    await delay(50);
  }
}
async function credentials({ settings }, api) {
  const hasIdentity = existsSync(join(settings.stateDir, "gateways", quickstartGateway, "identity.json"));
  const known = await findObject(api, gatewayKind, quickstartGateway);
  const connection = known?.status?.connection;
  if (known && hasIdentity && connection !== "revoked") return { variables: {}, flags: [] };
  if (known) await api.call("DELETE", objectPath(settings, gatewayKind.plural, quickstartGateway));
  const { body } = await api.call("POST", `${environmentPath(settings)}/enrollments`, {
    body: { name: quickstartGateway, ttl: "15m" },
    schema: CreatedEnrollment
  });
  return { variables: { MCPG_ENROLLMENT_URL: body.url }, flags: hasIdentity ? ["--re-enroll"] : [] };
}

// ctl/src/quickstart/starter-server.ts
import { setTimeout as delay2 } from "node:timers/promises";

// ctl/src/quickstart/starter.ts
var starterServer = {
  kind: "Server",
  metadata: { name: "everything" },
  spec: { package: { runtime: "node", name: "@modelcontextprotocol/server-everything" } }
};

// ctl/src/quickstart/starter-server.ts
var waitMs = 12e4;
async function applyStarter(api) {
  const { body } = await api.call("GET", listPath(api.settings, serverKind.plural), { query: { limit: 1 }, schema: ResourceList });
  if (body.items.length > 0) return;
  await api.call("POST", `${workspacePath(api.settings)}/apply`, { body: { objects: [starterServer] }, schema: ApplyResponse });
}
async function showServers({ stopping }, api, progress) {
  const deadline = performance.now() + waitMs;
  while (!stopping.aborted && performance.now() < deadline) {
    const [servers, gateways] = await Promise.all([listObjects(api, serverKind), listObjects(api, gatewayKind)]);
    const byName = new Map(gateways.map((gateway) => [gateway.metadata.name, gateway]));
    const workloads = servers.flatMap((server) => workloadsOf(server, byName).map((one) => ({ ...one, tools: server.status["tools"] })));
    for (const one of workloads) {
      const phase = one.verdict === "ok" ? "done" : one.verdict === "pending" ? "running" : one.verdict === "failed" ? "failed" : "skipped";
      progress.set(
        one.server,
        phase,
        one.verdict === "ok" ? `${one.state}, ${String(one.tools ?? 0)} tools` : [one.state, one.reason, one.message].filter(Boolean).join(" ")
      );
    }
    if (workloads.every(({ verdict }) => verdict !== "pending")) return;
    await delay2(250, void 0, { signal: stopping }).catch(() => {
    });
  }
}

// ctl/src/commands/quickstart.ts
var readyTimeoutMs2 = 12e4;
async function run(context, _args, options) {
  if (await tellRunning(context)) return;
  if (options.detach) return runDetached(context, options);
  const controlPlane = await startControlPlane(context, options);
  try {
    await Promise.race([bringUp(context, options, controlPlane.endpoints), controlPlane.ended]);
    await controlPlane.ended;
  } catch (error) {
    if (!(error instanceof Interrupted) || !context.stopping.aborted) throw error;
  } finally {
    await controlPlane.stop();
  }
}
async function startControlPlane(context, { bindHttp, bindGrpc, gateway }) {
  const { env, stopping, settings } = context;
  const progress = ladder(context);
  progress.set("control plane", "running", "starting");
  const { serve } = await import("./main-HSNWXXVF.js");
  const stopServe = new AbortController();
  let ready = (_endpoints) => {
  };
  const isUp = new Promise((resolve) => ready = resolve);
  const flags = programFlags(context, { bindHttp, bindGrpc, logFile: await logFileOf(context) });
  const serving = serve({ flags, env: env.env, stopping: stopServe.signal, stderr: env.stderr, onReady: ready });
  const interrupted = new Promise((resolve) => stopping.addEventListener("abort", () => resolve(), { once: true }));
  if (stopping.aborted) stopServe.abort();
  const first = await Promise.race([isUp, serving.then(() => null), interrupted.then(() => null)]);
  if (!first) {
    stopServe.abort();
    await serving;
    throw new Interrupted();
  }
  progress.set("control plane", "done", first["console"] ?? first["http"]);
  return { endpoints: first, ended: Promise.race([serving, interrupted]), stop };
  async function stop() {
    const running = gateway ? await findLocalGateway(context) : null;
    if (running) {
      if (!settings.quiet) env.stderr.write("stopping the gateway\n");
      await stopProcess(running);
    }
    if (!settings.quiet) env.stderr.write("stopping the control plane\n");
    stopServe.abort();
    await serving;
  }
}
async function logFileOf({ settings, globals }) {
  if (globals.logFile) return globals.logFile;
  if (await prepareStateDir(settings.stateDir)) return void 0;
  const folder = join2(settings.stateDir, "logs");
  mkdirSync(folder, { recursive: true, mode: 448 });
  return join2(folder, "control-plane.log");
}
async function bringUp(context, options, endpoints) {
  const { createApi } = await import("./client-CK4REHV7.js");
  const api = await createApi({ settings: { ...context.settings, cpUrl: endpoints["http"] }, env: context.env });
  const progress = ladder(context);
  if (options.demo) await applyStarter(api);
  let endpoint;
  if (options.gateway) {
    progress.set("gateway", "running", "starting");
    const isPortFixed = !(options.bindGrpc ?? "").endsWith(":0");
    ({ endpoint } = await startLocalGateway(context, api, endpoints["grpc"] ?? "", isPortFixed));
    progress.set("gateway", "done", endpoint);
    await showServers(context, api, progress);
  }
  if (context.stopping.aborted) throw new Interrupted();
  printEndpoints(context, endpoints, endpoint);
  if (options.browser && !whyNoBrowser(context.env)) openBrowser(endpoints["console"] ?? endpoints["http"] ?? "");
  context.say("\nCtrl-C stops both.");
}
function printEndpoints({ print, settings }, endpoints, endpoint) {
  if (settings.output === "json") return print(JSON.stringify({ ...endpoints, ...endpoint ? { mcp: endpoint } : {} }));
  print(`
console       ${endpoints["console"] ?? endpoints["http"]}`);
  if (!endpoint) return print("\nadd a gateway with: mcpg-ctl enroll create");
  print(`MCP endpoint  ${endpoint}`);
  print(`
connect an AI client, for example:
  claude mcp add --transport http mcpg ${endpoint}`);
}
async function tellRunning(context) {
  const running = await findControlPlane(context.settings.stateDir);
  if (!running) return false;
  const gateways = await listGateways(context.settings.stateDir);
  context.say(`already running (pid ${running.pid}); stop it with: mcpg-ctl stop`);
  printEndpoints(context, running.endpoints, (gateways.find(({ name }) => name === "quickstart") ?? gateways[0])?.endpoints["mcp"]);
  return true;
}
async function runDetached(context, options) {
  const { startDetached: startDetached2, untilReady: untilReady2 } = await import("./detach-6GYK7SJW.js");
  const started = await startDetached2(context, "quickstart", [...context.again.args, "--no-browser"], context.again.env);
  const endpoints = await untilReady2(context, started, "quickstart", readyTimeoutMs2, async () => {
    const controlPlane = await findControlPlane(context.settings.stateDir);
    if (controlPlane?.pid !== started.pid || !await isReady(controlPlane.endpoints["http"])) return null;
    const gateway = options.gateway ? await findLocalGateway(context) : void 0;
    return gateway === null ? null : { ...controlPlane.endpoints, ...gateway?.endpoints };
  });
  printEndpoints(context, endpoints, endpoints["mcp"]);
  if (options.browser && !whyNoBrowser(context.env)) openBrowser(endpoints["console"] ?? "");
  context.say(`
running in the background (pid ${started.pid}); log: ${started.logFile}
stop it with: mcpg-ctl stop`);
}
export {
  run
};
