import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  listObjects
} from "./chunk-P6I2SHZC.js";
import {
  objectPath
} from "./chunk-RWRD3TI4.js";
import {
  serverKind
} from "./chunk-2YECXFWZ.js";

// ctl/src/commands/server/act.ts
var done = { start: "started", stop: "stopped", restart: "restarting" };
async function act(context, words, action, body) {
  const names = words.map((word) => word.replace(/^servers?\//, ""));
  const api = await context.api();
  const servers = names.some((name) => /[*?]/.test(name)) ? (await listObjects(api, serverKind, { names })).map(({ metadata }) => metadata.name) : names;
  if (servers.length === 0) context.say(`no server matches ${words.join(" ")}`);
  for (const name of servers) {
    await api.call("POST", `${objectPath(context.settings, "servers", name)}/${action}`, body === void 0 ? {} : { body });
    context.print(`server/${name} ${done[action]}`);
  }
}

export {
  act
};
