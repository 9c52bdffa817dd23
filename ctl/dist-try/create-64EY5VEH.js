import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  environmentPath
} from "./chunk-RWRD3TI4.js";
import {
  CreatedEnrollment
} from "./chunk-5TN2U3Z3.js";
import {
  relative
} from "./chunk-TZZTGTTZ.js";
import {
  pairs
} from "./chunk-ZQK2QCVJ.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/enroll/create.ts
async function run(context, _args, options) {
  const { settings, print, say } = context;
  const { name, ttl, maxUses, expectedInstanceUid } = options;
  const labels = labelsOf(options.label);
  const api = await context.api();
  const { body } = await api.call("POST", `${environmentPath(settings)}/enrollments`, {
    schema: CreatedEnrollment,
    body: {
      ttl,
      maxUses,
      ...name ? { name } : {},
      ...Object.keys(labels).length > 0 ? { labels } : {},
      ...expectedInstanceUid ? { expectedInstanceUid } : {},
      ...options.cidr.length > 0 ? { cidrs: options.cidr } : {}
    }
  });
  if (settings.output === "json") return print(JSON.stringify(body, null, 2));
  if (settings.output === "yaml") return print((await import("./print-form-SPX65XQA.js")).toYaml(body).trimEnd());
  if (settings.output === "name") return print(`enrollment/${body.name}`);
  pairs([
    ["enrollment", body.name],
    ["url", body.url],
    ["expires", `${body.expiresAt} (${relative(body.expiresAt)})`]
  ]).forEach((line) => print(line));
  print(`
on the machine of the gateway:
  ${body.command}`);
  say("\nthe URL is shown this once and is good for " + (maxUses === 1 ? "one gateway" : `${maxUses} gateways`));
}
function labelsOf(words) {
  return Object.fromEntries(
    words.map((word) => {
      const [, key = "", value = ""] = /^([^=]+)=(.*)$/.exec(word) ?? [];
      if (!key) throw new McpgError("invalid", "usage", `--label ${word} is not key=value.`, { hint: "write it like --label role=edge" });
      return [key, value];
    })
  );
}
export {
  run
};
