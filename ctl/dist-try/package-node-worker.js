import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import "./chunk-7K33ZYCL.js";

// gateway-agent/src/servers/runtimes/package-node-worker.ts
import { parentPort, workerData } from "node:worker_threads";
import Arborist from "@npmcli/arborist";

// gateway-agent/src/servers/runtimes/npm-config.ts
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
var plain = {
  registry: "registry",
  cache: "cache",
  ca: "ca",
  cafile: "cafile",
  proxy: "proxy",
  "https-proxy": "httpsProxy",
  noproxy: "noProxy",
  "strict-ssl": "strictSSL",
  before: "before"
};
function readNpmConfig(env = process.env) {
  const settings = {};
  const files = [
    "/usr/etc/npmrc",
    "/etc/npmrc",
    env["npm_config_globalconfig"],
    env["npm_config_userconfig"] ?? join(env["HOME"] ?? homedir(), ".npmrc")
  ];
  for (const file of files) if (file) Object.assign(settings, readNpmrc(file, env));
  for (const [name, value] of Object.entries(env)) {
    const setting = /^npm_config_(.+)$/i.exec(name)?.[1];
    if (setting !== void 0 && value !== void 0 && value !== "") settings[setting.toLowerCase().replace(/(?!^)_/g, "-")] = value;
  }
  return toOptions(settings);
}
function readNpmrc(file, env) {
  let text;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    return {};
  }
  const pairs = text.split("\n").map((line) => /^\s*([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/.exec(line)).flatMap((match) => match ? [[match[1] ?? "", unquote(match[2] ?? "")]] : []);
  return Object.fromEntries(
    pairs.map(([name, value]) => [name, value.replace(/\$\{([^}]+)\}/g, (all, variable) => env[variable] ?? all)])
  );
}
var unquote = (value) => /^(["']).*\1$/.test(value) ? value.slice(1, -1) : value;
function toOptions(settings) {
  const options = {};
  for (const [name, value] of Object.entries(settings)) {
    const known = plain[name];
    if (known !== void 0) options[known] = value;
    else if (name.startsWith("//") || /^@[^/]+:registry$/.test(name)) options[name] = value;
  }
  if (options["strictSSL"] !== void 0) options["strictSSL"] = options["strictSSL"] !== "false";
  if (typeof options["cafile"] === "string") options["ca"] ??= readCertificates(options["cafile"]);
  delete options["cafile"];
  if (typeof options["cache"] === "string") options["cache"] = join(options["cache"], "_cacache");
  return options;
}
function readCertificates(file) {
  try {
    return readFileSync(file, "utf8").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? void 0;
  } catch {
    return void 0;
  }
}

// gateway-agent/src/servers/runtimes/package-node-worker.ts
parentPort?.postMessage(await install(workerData));
async function install({ spec, name, folder, cache, allowScripts }) {
  try {
    const arborist = new Arborist({
      cache,
      // The library's own patience with a dead registry is above a minute.
      fetchRetries: 2,
      fetchRetryMintimeout: 500,
      fetchRetryMaxtimeout: 2e3,
      ...readNpmConfig(),
      path: folder,
      audit: false,
      fund: false,
      ignoreScripts: !allowScripts,
      dangerouslyAllowAllScripts: allowScripts,
      saveExact: true
    });
    const tree = await arborist.reify({ add: [spec], save: true, saveType: "prod" });
    const installed = tree.children.get(name);
    if (!installed) return { ok: false, code: "EMISSING", message: `${spec} has installed nothing called ${name}` };
    return { ok: true, version: installed.version, integrity: installed.integrity ?? void 0 };
  } catch (error) {
    const { code, message } = error;
    return { ok: false, code: code ?? "EUNKNOWN", message: message.split("\n")[0] ?? "" };
  }
}
