import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  FailedStart,
  Interrupted
} from "./chunk-J4ZBDK6U.js";
import {
  redact
} from "./chunk-2S372OHJ.js";
import {
  prepareStateDir
} from "./chunk-SH3L2FFJ.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/local/detach.ts
import { spawn } from "node:child_process";
import { closeSync, fstatSync, mkdirSync, openSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
var shownLines = 20;
async function startDetached({ env, settings }, name, args, variables) {
  const logFile = join(settings.stateDir, "logs", `${name}.log`);
  const problem = await prepareStateDir(settings.stateDir);
  if (problem) throw new McpgError("failed_precondition", problem.reason, `${problem.message}.`, { hint: problem.fix });
  mkdirSync(join(settings.stateDir, "logs"), { recursive: true, mode: 448 });
  const log = openSync(logFile, "a", 384);
  const logStart = fstatSync(log).size;
  const [program = "", ...rest] = env.self;
  try {
    const child = spawn(program, [...rest, ...args], {
      cwd: env.cwd,
      detached: true,
      stdio: ["ignore", log, log],
      env: { ...env.env, ...variables }
    });
    const exited = new Promise((resolve) => {
      child.once("error", () => resolve(1));
      child.once("exit", (code) => resolve(code ?? 1));
    });
    child.unref();
    return { pid: child.pid ?? -1, logFile, logStart, exited, hasExited: () => child.exitCode !== null || child.signalCode !== null };
  } finally {
    closeSync(log);
  }
}
async function untilReady({ stopping }, started, what, timeoutMs, ready) {
  const deadline = performance.now() + timeoutMs;
  for (; ; ) {
    const answer = await ready();
    if (answer !== null) return answer;
    if (started.hasExited()) throw await failedStart(started, what);
    if (stopping.aborted)
      throw new Interrupted(`${what} goes on starting in the background (pid ${started.pid}); its log: ${started.logFile}`);
    if (performance.now() > deadline)
      throw new McpgError("timeout", "start_timeout", `${what} is not ready after ${timeoutMs / 1e3} s (pid ${started.pid}).`, {
        hint: `its log: ${started.logFile}`
      });
    await delay(50);
  }
}
async function failedStart(started, what) {
  const log = await readFile(started.logFile).catch(() => Buffer.alloc(0));
  const lines = redact(log.subarray(started.logStart).toString()).trimEnd().split("\n");
  return new FailedStart(what, await started.exited, lines.slice(-shownLines), started.logFile);
}

export {
  startDetached,
  untilReady
};
