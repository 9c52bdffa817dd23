import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  whyNoBrowser
} from "./chunk-AQH2L5XK.js";
import {
  bytes
} from "./chunk-TZZTGTTZ.js";
import {
  table
} from "./chunk-ZQK2QCVJ.js";
import {
  findControlPlane,
  listGateways
} from "./chunk-DKPMSQBW.js";
import "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import {
  prepareStateDir
} from "./chunk-SH3L2FFJ.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/doctor/check.ts
var ok = (name, detail) => ({ name, level: "ok", detail });
var warn = (name, detail, remedy) => ({ name, level: "warn", detail, remedy });
var fail = (name, detail, remedy) => ({ name, level: "fail", detail, remedy });

// ctl/src/local/port-holder.ts
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { createServer } from "node:net";
async function whyNotBindable(host, port) {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", (error) => resolve(error.code ?? error.message));
    server.listen({ host, port, exclusive: true }, () => server.close(() => resolve(null)));
  });
}
function holderOf(port) {
  const inodes = new Set(["/proc/net/tcp", "/proc/net/tcp6"].flatMap((file) => listeningInodes(file, port)));
  if (inodes.size === 0) return null;
  for (const pid of listing("/proc").filter((name) => /^\d+$/.test(name)))
    for (const fd of listing(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`)) ?? "")?.[1];
      if (inode && inodes.has(inode)) return { pid: Number(pid), command: commandOf(pid) };
    }
  return null;
}
function listeningInodes(file, port) {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const lines = (attempt(() => readFileSync(file, "utf8")) ?? "").split("\n").slice(1);
  return lines.map((line) => line.trim().split(/\s+/)).flatMap((columns) => columns[1]?.endsWith(wanted) && columns[3] === "0A" && columns[9] ? [columns[9]] : []);
}
function commandOf(pid) {
  const words = (attempt(() => readFileSync(`/proc/${pid}/cmdline`, "utf8")) ?? "").split("\0").filter(Boolean);
  return words.slice(0, 3).join(" ").slice(0, 120);
}
var listing = (folder) => attempt(() => readdirSync(folder)) ?? [];
function attempt(read) {
  try {
    return read();
  } catch {
    return null;
  }
}

// ctl/src/doctor/machine.ts
var minNode = [22, 19];
var maxSkewSeconds = 30;
function checkNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const isEnough = major > minNode[0] || major === minNode[0] && minor >= minNode[1];
  return isEnough ? ok("node", `Node ${version}`) : fail("node", `Node ${version} is too old`, `install Node ${minNode.join(".")} or later`);
}
function checkBrowser(env) {
  const why = whyNoBrowser(env);
  return why ? ok("browser", `none is opened: ${why}`) : ok("browser", "the console can be opened");
}
async function checkClock(url) {
  const before = Date.now();
  const date = await fetch(new URL("/healthz", url), { signal: AbortSignal.timeout(2e3) }).then((response) => Date.parse(response.headers.get("date") ?? "")).catch(() => Number.NaN);
  if (new Date(before).getUTCFullYear() < 2026)
    return fail("clock", `this machine believes it is ${new Date(before).toISOString()}`, "set the clock, e.g. timedatectl set-ntp true");
  if (Number.isNaN(date)) return ok("clock", new Date(before).toISOString());
  const skew = Math.round((date - (before + Date.now()) / 2) / 1e3);
  if (Math.abs(skew) <= maxSkewSeconds) return ok("clock", "agrees with the control plane");
  return warn(
    "clock",
    `${Math.abs(skew)} s ${skew > 0 ? "behind" : "ahead of"} the control plane`,
    "synchronize it, e.g. timedatectl set-ntp true"
  );
}
async function checkPort(name, flag, address, own, isMovable) {
  const match = /^(?:\[(.+)\]|([^:]+)):(\d{1,5})$/.exec(address);
  if (!match || Number(match[3]) > 65535) return fail(name, `"${address}" is no address`, `write it like 127.0.0.1:7843 (${flag})`);
  const port = Number(match[3]);
  const why = await whyNotBindable(match[1] ?? match[2] ?? "", port);
  if (why === null) return ok(name, `${address} is free`);
  if (why !== "EADDRINUSE") return fail(name, `${address} cannot be bound (${why})`, `choose another address with ${flag}`);
  const holder = holderOf(port);
  if (holder && own.has(holder.pid)) return ok(name, `${address} is held by our own process ${holder.pid}`);
  const who = holder ? `process ${holder.pid} (${holder.command})` : "a process that cannot be seen from here";
  if (isMovable) return warn(name, `${address} is held by ${who}`, "nothing to do: the gateway takes the next free port and says which");
  return fail(
    name,
    `${address} is held by ${who}`,
    holder ? `end it (kill ${holder.pid}), or choose another address with ${flag}` : `choose another address with ${flag}`
  );
}

// ctl/src/doctor/state.ts
import { existsSync, statSync } from "node:fs";
import { stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
var mebibyte = 1024 * 1024;
async function checkState(folder, controlPlane) {
  if (!existsSync(folder)) return [ok("state dir", `${folder} is created at the first start`), await checkSpace(nearestFolder(folder))];
  const problem = await prepareStateDir(folder);
  if (problem) return [fail("state dir", problem.message, problem.fix)];
  return [
    ok("state dir", `${folder}, yours alone`),
    await checkSpace(folder),
    await checkLock(folder, controlPlane),
    await checkKeys(folder),
    await checkDatabase(folder)
  ];
}
async function checkSpace(folder) {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  const remedy = "free space, or choose another disk with --state-dir";
  if (free < 64 * mebibyte) return fail("space", `${bytes(free)} are free on the disk of the state dir`, remedy);
  if (free < 1024 * mebibyte)
    return warn("space", `${bytes(free)} are free on the disk of the state dir; packages of servers need some hundred MiB`, remedy);
  return ok("space", `${bytes(free)} free`);
}
async function checkLock(folder, controlPlane) {
  if (controlPlane) return ok("lock", `held by the control plane (pid ${controlPlane.pid})`);
  if (!existsSync(join(folder, "lock.db"))) return ok("lock", "free");
  try {
    const { lockFolder } = await import("./state-lock-Q3A3ARA2.js");
    const release = lockFolder(folder);
    if (!release)
      return warn(
        "lock",
        "held by a process that has no run file: it is starting, ending, or its run file was deleted",
        `see who: fuser -v ${join(folder, "lock.db")}`
      );
    release();
    return ok("lock", "free");
  } catch (error) {
    return fail(
      "lock",
      `cannot be taken: ${error.message}`,
      `rm ${join(folder, "lock.db")} while nothing runs on this state dir`
    );
  }
}
async function checkKeys(folder) {
  const key = join(folder, "master.key");
  const hasData = existsSync(join(folder, "mcpg.db"));
  const facts = await stat(key).catch(() => null);
  if (!facts && hasData)
    return fail(
      "keys",
      `${key} is missing beside a database`,
      "restore it from the backup that belongs to this database (or name it with --master-key-file at serve)"
    );
  if (!facts) return ok("keys", "created at the first start of a control plane");
  if (facts.size !== 32) return fail("keys", `${key} has ${facts.size} bytes instead of 32`, "restore it from a backup");
  if (process.platform !== "win32" && (facts.mode & 63) !== 0) return fail("keys", `${key} can be read by others`, `chmod 600 ${key}`);
  return ok("keys", "the master key is there and yours alone");
}
async function checkDatabase(folder) {
  const path = join(folder, "mcpg.db");
  if (!existsSync(path)) return ok("database", "created at the first start of a control plane");
  const size = bytes(statSync(path).size);
  try {
    const { default: Database } = await import("better-sqlite3");
    const database = new Database(path, { readonly: true, fileMustExist: true, timeout: 1e3 });
    try {
      const verdict = statSync(path).size < 256 * mebibyte ? String(database.pragma("quick_check(1)", { simple: true })) : "ok";
      const { migrations } = database.prepare("SELECT count(*) AS migrations FROM _prisma_migrations WHERE finished_at IS NOT NULL").get();
      return verdict === "ok" ? ok("database", `${size}, ${migrations} migrations`) : fail("database", `damaged: ${verdict}`, "restore it from a backup");
    } finally {
      database.close();
    }
  } catch (error) {
    return fail("database", `${path} cannot be read: ${error.message}`, "restore it from a backup");
  }
}
var nearestFolder = (path) => existsSync(path) ? path : nearestFolder(dirname(path));

// ctl/src/doctor/supervision.ts
async function checkSupervision() {
  const { probeSupervision } = await import("./main-JCQ7ON4T.js");
  const { tiers, active } = await probeSupervision();
  return tiers.map(({ tier, name, available, holds, missing }) => {
    const title = `supervision ${tier}`;
    const detail = `${name}${tier === active ? " (in use)" : ""}: ends ${holds}`;
    if (!missing) return ok(title, detail);
    return warn(title, available ? detail : `${name} is not available`, missing);
  });
}

// ctl/src/commands/doctor.ts
async function run(context, _args, { bindHttp, bindGrpc, bind }) {
  const { settings, env, print } = context;
  const controlPlane = await findControlPlane(settings.stateDir);
  const gateways = await listGateways(settings.stateDir);
  const own = /* @__PURE__ */ new Set([...controlPlane ? [controlPlane.pid] : [], ...gateways.map(({ pid }) => pid)]);
  const checks = [
    checkNode(),
    ...await tried("state dir", () => checkState(settings.stateDir, controlPlane)),
    await checkPort("port REST", "--bind-http", bindHttp, own, false),
    await checkPort("port gRPC", "--bind-grpc", bindGrpc, own, false),
    await checkPort("port MCP", "--bind", bind, own, true),
    checkBrowser(env),
    await checkClock(settings.cpUrl ?? controlPlane?.endpoints["http"] ?? "http://127.0.0.1:7843"),
    ...await tried("supervision", () => checkSupervision())
  ];
  const hasFailed = checks.some(({ level }) => level === "fail");
  if (settings.output === "json") print(JSON.stringify({ ok: !hasFailed, checks }, null, 2));
  else if (settings.output === "yaml") print((await import("./print-form-SPX65XQA.js")).toYaml({ ok: !hasFailed, checks }).trimEnd());
  else
    table(
      ["check", "result", "detail", "remedy"],
      checks.map(({ name, level, detail, remedy }) => [name, level, detail, remedy ?? ""])
    ).forEach((line) => print(line));
  return hasFailed ? 1 : 0;
}
async function tried(name, look) {
  return look().catch((error) => [
    fail(name, `cannot be looked at: ${error.message}`, "run doctor as the user who runs mcpg")
  ]);
}
export {
  run
};
