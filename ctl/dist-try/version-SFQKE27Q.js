import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Version
} from "./chunk-374NUCXG.js";
import {
  pairs
} from "./chunk-ZQK2QCVJ.js";
import {
  protocolRevision,
  version
} from "./chunk-NVOQKGAE.js";
import "./chunk-FMNGHHUN.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/version.ts
async function run(context) {
  const api = await context.api();
  const remote = await api.call("GET", "/v1/version", { schema: Version, timeoutMs: 2e3 }).then(({ body }) => body).catch((error) => {
    if (error instanceof McpgError) return null;
    throw error;
  });
  const client = { version, protocol: protocolRevision, node: process.version };
  const { output } = context.settings;
  if (output === "json") return context.print(JSON.stringify({ client, controlPlane: remote }, null, 2));
  if (output === "yaml")
    return context.print((await import("./print-form-SPX65XQA.js")).toYaml({ client, controlPlane: remote }).trimEnd());
  pairs([
    ["mcpg-ctl", `${version} (Node ${process.version})`],
    ["control plane", remote ? `${remote.version} at ${api.url}` : `not reached at ${api.url}`]
  ]).forEach((line) => context.print(line));
}
export {
  run
};
