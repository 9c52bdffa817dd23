import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  programFlags
} from "./chunk-HWBIDZ7R.js";
import {
  listGateways
} from "./chunk-DKPMSQBW.js";
import "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/gateway.ts
var readyTimeoutMs = 6e4;
async function run(context, _args, { detach, ...options }) {
  if (detach) return runDetached(context, options.name ?? "default");
  const { runGateway } = await import("./main-JCQ7ON4T.js");
  const { env, print, settings, stopping } = context;
  await runGateway({
    flags: programFlags(context, options),
    env: env.env,
    stopping,
    stderr: env.stderr,
    onReady: (info) => {
      process.on("SIGHUP", () => info.wake());
      print(settings.output === "json" ? JSON.stringify(info) : `gateway ${info.name} ready: ${info.endpoint}`);
    }
  });
}
async function runDetached(context, name) {
  const { startDetached, untilReady } = await import("./detach-6GYK7SJW.js");
  const started = await startDetached(context, `gateway-${name}`, context.again.args, context.again.env);
  const file = await untilReady(context, started, `The gateway ${name}`, readyTimeoutMs, async () => {
    const found = (await listGateways(context.settings.stateDir)).find((one) => one.name === name);
    return found?.pid === started.pid ? found : null;
  });
  const endpoint = file.endpoints["mcp"] ?? "";
  context.print(context.settings.output === "json" ? JSON.stringify({ name, endpoint }) : `gateway ${name} ready: ${endpoint}`);
  context.say(`running in the background (pid ${started.pid}); log: ${started.logFile}
stop it with: mcpg-ctl stop --all`);
}
export {
  run
};
