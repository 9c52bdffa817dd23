import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// ctl/src/local/browser.ts
import { spawn } from "node:child_process";
function whyNoBrowser({ env, isTTY }) {
  if (env["CI"]) return "this is a CI machine";
  if (!isTTY.stderr) return "there is no terminal";
  if (process.platform === "linux" && !env["DISPLAY"] && !env["WAYLAND_DISPLAY"]) return "there is no display";
  return null;
}
function openBrowser(url) {
  const [program, ...args] = process.platform === "darwin" ? ["open", url] : process.platform === "win32" ? ["cmd", "/c", "start", "", url] : ["xdg-open", url];
  const child = spawn(program, args, { detached: true, stdio: "ignore" });
  child.once("error", () => {
  });
  child.unref();
}

export {
  whyNoBrowser,
  openBrowser
};
