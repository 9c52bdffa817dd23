import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// core/src/state-dir.ts
import { constants } from "node:fs";
import { access, chmod, mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
var defaultStateDir = () => join(homedir(), ".mcpg");
async function prepareStateDir(path, { fixPermissions = false } = {}) {
  try {
    await mkdir(path, { recursive: true, mode: 448 });
  } catch (error) {
    const { code = "unknown error" } = error;
    if (code === "EEXIST" || code === "ENOTDIR")
      return { reason: "not_a_folder", message: `${path} is not a folder`, fix: `choose another with --state-dir` };
    return { reason: "not_writable", message: `${path} cannot be created (${code})`, fix: "choose another with --state-dir" };
  }
  if (process.platform === "win32") return null;
  return inspect(path, fixPermissions);
}
async function inspect(path, fixPermissions) {
  const facts = await stat(path);
  if (!facts.isDirectory()) return { reason: "not_a_folder", message: `${path} is not a folder`, fix: "choose another with --state-dir" };
  const uid = process.getuid?.() ?? facts.uid;
  if (facts.uid !== uid)
    return {
      reason: "other_owner",
      message: `${path} belongs to uid ${facts.uid}, this process is uid ${uid}`,
      fix: `sudo chown -R ${uid} ${path}`
    };
  if ((facts.mode & 63) !== 0 && fixPermissions) await chmod(path, 448);
  else if ((facts.mode & 63) !== 0)
    return {
      reason: "wide_mode",
      message: `${path} can be read by others (mode ${(facts.mode & 511).toString(8)})`,
      fix: `chmod 700 ${path}`
    };
  const writable = await access(path, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false
  );
  return writable ? null : { reason: "not_writable", message: `${path} is not writable`, fix: "choose another with --state-dir" };
}

export {
  defaultStateDir,
  prepareStateDir
};
