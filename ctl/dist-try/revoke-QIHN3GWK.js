import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  confirm
} from "./chunk-PKPPMANZ.js";
import {
  environmentPath
} from "./chunk-RWRD3TI4.js";
import "./chunk-J4ZBDK6U.js";
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/enroll/revoke.ts
async function run(context, [word = ""], { yes }) {
  const name = word.replace(/^enrollments?\//, "");
  if (!yes && !await confirm(context, `Void the enrollment ${name}?`, "--yes")) return context.say("nothing was revoked");
  const api = await context.api();
  await api.call("POST", `${environmentPath(context.settings)}/enrollments/${encodeURIComponent(name)}/revoke`);
  context.print(`enrollment/${name} revoked`);
}
export {
  run
};
