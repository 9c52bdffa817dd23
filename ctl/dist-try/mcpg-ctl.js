import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// ctl/src/main.ts
var stopping = new AbortController();
for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143]
])
  process.on(signal, () => {
    if (stopping.signal.aborted) {
      process.stderr.write(`${signal} again: ending at once
`);
      process.exit(code);
    }
    stopping.abort(signal);
  });
process.stdout.on("error", (error) => {
  if (error.code !== "EPIPE") throw error;
  process.exit(0);
});
var env = {
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  cwd: process.cwd(),
  isTTY: { stdin: process.stdin.isTTY ?? false, stdout: process.stdout.isTTY ?? false, stderr: process.stderr.isTTY ?? false },
  columns: process.stdout.columns ?? 120,
  stopping: stopping.signal,
  self: [process.execPath, ...process.execArgv, process.argv[1] ?? ""]
};
var [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || major === 22 && minor >= 19) {
  const { runProgram } = await import("./program-ZKZN43K6.js");
  process.exitCode = await runProgram(process.argv.slice(2), env);
} else {
  process.stderr.write(
    `error: mcpg-ctl needs Node 22.19 or later, this is ${process.versions.node}
hint: install a newer Node, or start it with npm run in a clone, which brings its own
`
  );
  process.exitCode = 1;
}
