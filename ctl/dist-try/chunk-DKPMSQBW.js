import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  RunFile,
  controlPlaneRunFile,
  isSameProcess
} from "./chunk-3RJPI3PA.js";

// ctl/src/local/run-files.ts
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
async function findControlPlane(stateDir) {
  return readLive(join(stateDir, controlPlaneRunFile));
}
async function listGateways(stateDir) {
  const names = await readdir(join(stateDir, "run")).catch(() => []);
  const found = [];
  for (const file of names.sort()) {
    const name = /^gateway-(.+)\.json$/.exec(file)?.[1];
    const live = name ? await readLive(join(stateDir, "run", file)) : null;
    if (name && live) found.push({ ...live, name });
  }
  return found;
}
async function readLive(path) {
  try {
    const file = RunFile.parse(JSON.parse(await readFile(path, "utf8")));
    return isSameProcess(file.pid, file.startTime) ? file : null;
  } catch {
    return null;
  }
}

export {
  findControlPlane,
  listGateways
};
