import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  watch
} from "./chunk-THYHKUTR.js";
import "./chunk-6SWOAVZM.js";
import "./chunk-PDDNFTZZ.js";
import {
  findObject,
  splitTarget
} from "./chunk-766BTVEX.js";
import "./chunk-LER2A23K.js";
import "./chunk-RWRD3TI4.js";
import "./chunk-PL4C277S.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import {
  durationOption
} from "./chunk-MURH5ROX.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import {
  Interrupted
} from "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/wait.ts
async function run(context, args, options) {
  const { print, say, stopping } = context;
  const timeoutMs = durationOption("--timeout", options.timeout);
  const isWanted = wantedOf(options.for);
  const open = new Map(args.map((arg) => [arg, splitTarget(arg)]));
  const api = await context.api();
  for (const [arg, { kind, name }] of open) settle(arg, await required(await findObject(api, kind, name), arg));
  if (open.size === 0) return 0;
  const signal = AbortSignal.any([stopping, AbortSignal.timeout(timeoutMs)]);
  const kinds = [...new Set([...open.values()].map(({ kind }) => kind.kind))];
  for await (const { type, object } of watch(api, { kinds, signal, say })) {
    for (const [arg, { kind, name }] of open)
      if (object?.kind === kind.kind && object.metadata.name === name) settle(arg, type === "DELETED" ? null : object);
    if (type === "BOOKMARK") for (const [arg, { kind, name }] of open) settle(arg, await findObject(api, kind, name));
    if (open.size === 0) return 0;
  }
  if (stopping.aborted) throw new Interrupted(`stopped waiting; wait again with: ${context.commandLine}`);
  throw new McpgError(
    "timeout",
    "gave_up_waiting",
    `Gave up after ${options.timeout}: ${[...open.keys()].join(", ")} ${open.size === 1 ? "is" : "are"} not there yet.`,
    {
      hint: `mcpg-ctl describe ${[...open.keys()][0]}`
    }
  );
  function settle(arg, object) {
    if (!open.has(arg) || !isWanted(object)) return;
    open.delete(arg);
    print(`${arg} ${options.for === "delete" ? "deleted" : "condition met"}`);
  }
  async function required(object, arg) {
    if (object || options.for === "delete") return object;
    throw new McpgError("not_found", "object_unknown", `There is no ${arg}.`, { hint: `mcpg-ctl get ${arg.split("/")[0]}` });
  }
}
function wantedOf(text) {
  if (text === "delete") return (object) => object === null;
  const condition = /^condition=([A-Za-z]+)(?:=(True|False|Unknown))?$/i.exec(text ?? "");
  if (condition) {
    const type = condition[1].toLowerCase();
    const value = (condition[2] ?? "True").toLowerCase();
    return (object) => conditionsOf(object).some((one) => one.type.toLowerCase() === type && one.status.toLowerCase() === value) && isObserved(object);
  }
  const state = /^state=([a-z_]+)$/i.exec(text ?? "")?.[1]?.toLowerCase();
  if (state) return (object) => object !== null && statesOf(object).length > 0 && statesOf(object).every((one) => one === state);
  throw new McpgError("invalid", "usage", text ? `--for=${text} is not understood.` : "What to wait for is missing: --for (MCPG_FOR).", {
    hint: "--for=condition=Ready, --for=condition=Ready=False, --for=delete or --for=state=<state>"
  });
}
function conditionsOf(object) {
  const { conditions } = object?.status ?? {};
  return conditions ?? [];
}
function isObserved(object) {
  const observed = object?.status["observedGeneration"];
  return typeof observed !== "number" || observed >= (object?.metadata.generation ?? 0);
}
function statesOf({ status }) {
  const { state, connection, gateways } = status;
  if (state) return [state];
  if (connection) return [connection];
  return (gateways ?? []).flatMap((one) => typeof one === "object" && one.state ? [one.state] : []);
}
export {
  run
};
