import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  programFlags
} from "./chunk-HWBIDZ7R.js";
import {
  findControlPlane
} from "./chunk-DKPMSQBW.js";

// ctl/src/commands/serve.ts
var readyTimeoutMs = 12e4;
async function run(context, _args, { detach, ...options }) {
  if (detach) return runDetached(context);
  const { serve } = await import("./main-HSNWXXVF.js");
  const { env, print, stopping } = context;
  await serve({
    flags: programFlags(context, options),
    env: env.env,
    stopping,
    stderr: env.stderr,
    onReady: (endpoints) => printEndpoints(context, endpoints, print)
  });
}
async function runDetached(context) {
  const { startDetached, untilReady } = await import("./detach-6GYK7SJW.js");
  const started = await startDetached(context, "control-plane", context.again.args, context.again.env);
  const file = await untilReady(context, started, "The control plane", readyTimeoutMs, async () => {
    const found = await findControlPlane(context.settings.stateDir);
    return found?.pid === started.pid && await isReady(found.endpoints["http"]) ? found : null;
  });
  printEndpoints(context, file.endpoints, context.print);
  context.say(`running in the background (pid ${started.pid}); log: ${started.logFile}
stop it with: mcpg-ctl stop`);
}
async function isReady(url) {
  if (!url) return false;
  return fetch(new URL("/readyz", url), { signal: AbortSignal.timeout(2e3) }).then(
    ({ ok }) => ok,
    () => false
  );
}
function printEndpoints({ settings }, endpoints, print) {
  if (settings.output === "json") return print(JSON.stringify({ endpoints }));
  print(
    `control plane ready: console ${endpoints["console"] ?? endpoints["http"]}  REST ${endpoints["http"]}  gateways ${endpoints["grpc"]}`
  );
}

export {
  run,
  isReady
};
