import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  durationOption
} from "./chunk-MURH5ROX.js";
import {
  findControlPlane,
  listGateways
} from "./chunk-DKPMSQBW.js";
import {
  isSameProcess
} from "./chunk-3RJPI3PA.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/commands/stop.ts
import { setTimeout as delay } from "node:timers/promises";
var quickstartGateway = "quickstart";
async function run(context, _args, { all, timeout }) {
  const { settings, print, say } = context;
  const timeoutMs = durationOption("--timeout", timeout);
  const gateways = await listGateways(settings.stateDir);
  const controlPlane = await findControlPlane(settings.stateDir);
  const stopped = [];
  for (const gateway of gateways.filter(({ name }) => all || name === quickstartGateway))
    await stop(`gateway ${gateway.name}`, gateway, () => terminate(gateway));
  if (controlPlane) await stop("control plane", controlPlane, () => askToStop(controlPlane));
  if (stopped.length === 0 && settings.output !== "json") print("nothing is running");
  if (settings.output === "json") print(JSON.stringify({ stopped }));
  const left = all ? [] : gateways.filter(({ name }) => name !== quickstartGateway);
  if (left.length > 0) say(`still running: ${left.map(({ name }) => `gateway ${name}`).join(", ")}; stop them too: mcpg-ctl stop --all`);
  async function stop(what, program, ask) {
    await ask();
    const deadline = performance.now() + timeoutMs;
    while (isSameProcess(program.pid, program.startTime)) {
      if (performance.now() > deadline)
        throw new McpgError("timeout", "stop_timeout", `${what} (pid ${program.pid}) has not ended after ${timeout}.`, {
          hint: `end it at once: kill -9 ${program.pid}`
        });
      await delay(50);
    }
    stopped.push(what);
    if (settings.output !== "json") print(`${what} stopped (pid ${program.pid})`);
  }
  async function askToStop(program) {
    const isAsked = await fetch(new URL("/v1/control/stop", program.endpoints["http"]), {
      method: "POST",
      signal: AbortSignal.timeout(2e3),
      headers: settings.token ? { authorization: `Bearer ${settings.token}` } : {}
    }).then(
      ({ ok }) => ok,
      () => false
    );
    if (!isAsked) terminate(program);
  }
}
function terminate({ pid, startTime }) {
  if (isSameProcess(pid, startTime)) process.kill(pid, "SIGTERM");
}

export {
  quickstartGateway,
  run
};
