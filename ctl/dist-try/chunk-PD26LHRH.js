import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// core/src/state-lock.ts
import Database from "better-sqlite3";
import { chmodSync, existsSync } from "node:fs";
import { join } from "node:path";
function lockFolder(folder) {
  const path = join(folder, "lock.db");
  const fresh = !existsSync(path);
  const database = new Database(path, { timeout: 0 });
  if (fresh) chmodSync(path, 384);
  try {
    database.pragma("locking_mode = EXCLUSIVE");
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return null;
    throw error;
  }
  return () => database.close();
}
function isBusy(error) {
  return error instanceof Error && "code" in error && typeof error.code === "string" && /^SQLITE_(BUSY|LOCKED)/.test(error.code);
}

export {
  lockFolder
};
