import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// core/src/process-identity.ts
import { readFileSync } from "node:fs";
function startTimeOf(pid) {
  if (process.platform !== "linux") return isAlive(pid) ? "" : null;
  let stat;
  try {
    stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  } catch {
    return null;
  }
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return fields[0] === "Z" ? null : fields[19] ?? null;
}
function isSameProcess(pid, startTime) {
  return startTimeOf(pid) === startTime;
}
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
}

// proto/src/run-files.ts
var RunFile = external_exports.object({
  pid: external_exports.number().int(),
  /** Kernel start time of the process in clock ticks since boot (Linux, /proc/<pid>/stat field 22), else ''. */
  startTime: external_exports.string(),
  version: external_exports.string(),
  startedAt: external_exports.iso.datetime(),
  /** `http` and `grpc` of a control plane; `mcp` of a gateway. */
  endpoints: external_exports.record(external_exports.string(), external_exports.string())
});
var controlPlaneRunFile = "run/control-plane.json";
var gatewayRunFile = (name) => `run/gateway-${name}.json`;

export {
  startTimeOf,
  isSameProcess,
  RunFile,
  controlPlaneRunFile,
  gatewayRunFile
};
