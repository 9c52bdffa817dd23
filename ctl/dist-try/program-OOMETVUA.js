import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  version
} from "./chunk-NVOQKGAE.js";
import {
  Command,
  CommanderError,
  Interrupted,
  InvalidArgumentError,
  Option,
  describeFailure,
  exitCodeOf
} from "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands.ts
function declareCommands(program, run) {
  declareMachine(program, run);
  declareGateways(program, run);
  declareObjects(program, run);
  declareServers(program, run);
  declareShell(program, run);
}
var collect = (value, list = []) => [...list, value];
var files = () => new Option("-f, --file <file>", "manifest: a file, a folder or - for standard input; may be given several times").argParser(collect).default([], "none");
var several = (flags, what) => new Option(flags, `${what}; may be given several times`).argParser(collect).default([], "none");
var whole = (text) => {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError("It must be a whole number.");
  return Number(text);
};
var timeout = (fallback) => new Option("--timeout <duration>", "give up after (exit 8), e.g. 90s or 5m").default(fallback);
var selector = () => new Option("-l, --selector <selector>", "only objects with these labels, e.g. role=edge,tier!=test");
var detach = () => new Option("--detach", "go to the background once ready; logs go to a file of the state dir");
var expand = () => new Option("--no-expand", "leave ${VAR} in manifests as it stands");
function declareMachine(program, run) {
  program.command("quickstart").description("start a control plane, a gateway and a first MCP server on this machine").option("--bind-http <address>", "REST and console (default 127.0.0.1:7843)").option("--bind-grpc <address>", "gateways (default 127.0.0.1:7844)").option("--no-browser", "do not open the console").option("--no-gateway", "only the control plane").option("--no-demo", "no starter manifest").addOption(detach()).action(run(() => import("./quickstart-QGKT45K6.js")));
  program.command("serve").description("run the control plane").option("--bind-http <address>", "REST and console (default 127.0.0.1:7843)").option("--bind-grpc <address>", "gateways (default 127.0.0.1:7844)").option("--database-url <url>", "sqlite:<path> (default: mcpg.db in the state dir)").option("--auth-mode <mode>", "who may call the API: none, local or oidc (default none)").option("--external-url <url>", "the URL under which others reach REST and console").option("--external-grpc <url>", "the URL under which gateways reach this control plane").option("--master-key-file <file>", "key that seals all others (default: master.key in the state dir)").addOption(several("--allowed-host <name>", "further name in the Host header")).addOption(several("--allowed-origin <origin>", "further Origin of browsers")).addOption(several("--trusted-proxy <address>", "proxy whose X-Forwarded-For counts")).addOption(detach()).action(run(() => import("./serve-DPMPNZPZ.js")));
  program.command("stop").description("stop the control plane of this state dir and the gateway of quickstart").option("--all", "every gateway of this state dir, too").addOption(timeout("30s")).action(run(() => import("./stop-I3XLUCD5.js")));
  program.command("status").description("what runs on this machine, and the database").action(run(() => import("./status-2HDTOM3H.js")));
  program.command("doctor").description("look for what keeps things from working").option("--bind-http <address>", "address to look at", "127.0.0.1:7843").option("--bind-grpc <address>", "address to look at", "127.0.0.1:7844").option("--bind <address>", "address to look at", "127.0.0.1:7845").action(run(() => import("./doctor-NNXYI2GQ.js")));
}
function declareGateways(program, run) {
  program.command("gateway").description("run a gateway agent").option("--enrollment-url <url>", "one-time URL of `enroll create`; better MCPG_ENROLLMENT_URL").option("--cp-grpc <url>", "endpoint of the control plane (default: what the enrollment says, else http://127.0.0.1:7844)").option("--instance-uid <uid>", "identifier of this installation (default: host name and 6 hex)").option("--name <name>", "folder of this agent under <state>/gateways (default: default)").option("--bind <address>", "MCP endpoint (default 127.0.0.1:7845, or the next free port)").addOption(several("--allowed-host <name>", "further name in the Host header")).addOption(several("--allowed-origin <origin>", "further Origin of browsers")).option("--re-enroll", "give up the stored identity and take a new one").option("--fix-permissions", "set the mode of the state dir right").addOption(detach()).action(run(() => import("./gateway-GX7EMHH7.js")));
  program.command("gateway-status").description("credentials, control plane, last good config and policy of the agents of this machine").option("--name <name>", "only this agent").action(run(() => import("./gateway-status-LAFY32FM.js")));
  const enroll = program.command("enroll").description("one-time URLs that turn a machine into a gateway");
  enroll.command("create").description("create an enrollment; its URL is shown once").option("--name <name>", "name of the gateway").addOption(several("--label <key=value>", "label of the gateway")).option("--ttl <duration>", "how long the URL is good", "15m").option("--max-uses <n>", "gateways that may use it", whole, 1).option("--expected-instance-uid <uid>", "only this installation may use it").addOption(several("--cidr <range>", "only from these addresses")).action(run(() => import("./create-WNFIV256.js")));
  enroll.command("list").description("list enrollments").addOption(selector()).action(run(() => import("./list-QZNYIEDY.js")));
  enroll.command("revoke").argument("<name>").description("void an enrollment that is not used").option("--yes", "do not ask").action(run(() => import("./revoke-QIHN3GWK.js")));
}
function declareObjects(program, run) {
  program.command("apply").description("write the objects of manifests, all or none").addOption(files()).addOption(
    new Option("--dry-run [side]", "write nothing: ask the control plane (server), or only check (client)").choices(["server", "client"]).preset("server")
  ).option("--prune <selector>", "delete objects of the same kinds that match and are not in the manifests").option("--wait", "wait until every gateway runs it").addOption(timeout("5m")).addOption(expand()).action(run(() => import("./apply-LQHOAEQ4.js")));
  program.command("plan").description("show what apply would change, field by field").addOption(files()).option("--prune <selector>", "as of apply").option("--exit-code", "exit 1 when something would change").addOption(expand()).action(run(() => import("./plan-6AAZCIVY.js")));
  program.command("diff").description("compare manifests with what is stored; exit 1 when they differ").addOption(files()).addOption(expand()).action(run(() => import("./diff-ZFFRBMZP.js")));
  program.command("get").argument("<kinds>", "kinds separated by commas, all, or kind/name").argument("[names...]", "names or globs").description("list objects").addOption(selector()).option("-A, --all-workspaces", "of every workspace").option("-w, --watch", "go on with changes").action(run(() => import("./get-7BBEK2C5.js")));
  program.command("describe").argument("<kind>", "kind or kind/name").argument("[names...]", "names or globs").description("show everything about objects").action(run(() => import("./describe-HRAQLJZY.js")));
  program.command("delete").argument("[kind]", "kind or kind/name").argument("[names...]", "names or globs").description("delete objects").addOption(files()).addOption(selector()).option("--yes", "do not ask").addOption(expand()).action(run(() => import("./delete-MAVXXYNE.js")));
  program.command("edit").argument("<kind>", "kind or kind/name").argument("[name]").description("edit an object in $EDITOR").action(run(() => import("./edit-XZMXQQMH.js")));
  program.command("explain").argument("<field>", "kind or kind.field.field").description("show the fields of a kind").action(run(() => import("./explain-HT7FXXWE.js")));
  program.command("wait").argument("<objects...>", "kind/name").description("wait for a state").option("--for <what>", "condition=Ready, condition=Ready=False, delete or state=<state>").addOption(timeout("60s")).action(run(() => import("./wait-ZGX5ILNI.js")));
}
function declareServers(program, run) {
  const server = program.command("server").description("start, stop and restart MCP servers");
  server.command("start").argument("<names...>").description("set state to running").action(run(() => import("./start-JLNGCUPN.js")));
  server.command("stop").argument("<names...>").description("set state to stopped").action(run(() => import("./stop-3CQDWDYP.js")));
  server.command("restart").argument("<names...>").description("start new instances and drain the old ones").option("--retry", "lift a hold").option("--upgrade", "resolve the version of the package again").action(run(() => import("./restart-ZYVGSEQW.js")));
}
function declareShell(program, run) {
  program.command("mcp").description("speak MCP on standard input and output, for clients that start a program").option("--url <url>", "endpoint (default: the gateway of this machine)").option("--server <name>", "only this server, names unprefixed").option("--name <name>", "gateway agent of this machine").action(run(() => import("./mcp-GADDR7PG.js")));
  program.command("version").description("version of this program and of the control plane").action(run(() => import("./version-5FHKKRUI.js")));
  program.command("completion").argument("<shell>", "bash, zsh, fish or powershell").description("print a completion script").action(run(() => import("./completion-64X3OLPY.js")));
  program.command("__complete", { hidden: true }).argument("[words...]").allowUnknownOption().action(run(() => import("./complete-M7LSBKAP.js")));
}

// ctl/src/flag-environment.ts
var variableOf = (option) => `MCPG_${(option.long ?? "").replace(/^--/, "").replaceAll("-", "_").toUpperCase()}`;
var notFromEnvironment = /* @__PURE__ */ new Set(["version", "help"]);
function readFlagsFromEnvironment(command, env) {
  for (let level = command; level; level = level.parent)
    for (const option of level.options) {
      const key = option.attributeName();
      const source = level.getOptionValueSource(key);
      const text = env[variableOf(option)];
      if (notFromEnvironment.has(key) || text === void 0 || text === "" || source !== void 0 && source !== "default") continue;
      level.setOptionValueWithSource(key, parse(option, text), "env");
    }
}
function parse(option, text) {
  if (option.isBoolean() || option.negate) return booleanOf(option, text) !== option.negate;
  try {
    if (option.argChoices && !option.argChoices.includes(text))
      throw new InvalidArgumentError(`Allowed choices are ${option.argChoices.join(", ")}.`);
    const { parseArg } = option;
    if (!parseArg) return text;
    if (!Array.isArray(option.defaultValue)) return parseArg(text, void 0);
    return text.split(",").reduce((list, part) => parseArg(part, list), []);
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new McpgError(
      "invalid",
      "bad_environment_variable",
      `${variableOf(option)}=${text} is not a value of ${option.long}: ${error.message}`
    );
  }
}
function booleanOf(option, text) {
  if (/^(1|true|yes|on)$/i.test(text)) return true;
  if (/^(0|false|no|off)$/i.test(text)) return false;
  throw new McpgError("invalid", "bad_environment_variable", `${variableOf(option)}=${text} is neither true nor false`);
}

// ctl/src/global-flags.ts
var outputs = ["table", "wide", "json", "yaml", "name", "ndjson"];
function addGlobalFlags(program) {
  program.option("--state-dir <folder>", "where this machine keeps its files (default ~/.mcpg)").option("--json-logs", "log lines as JSON").addOption(new Option("--log-level <level>", "how much is logged").choices(["trace", "debug", "info", "warn", "error", "silent"])).option("--log-file <file>", "log to this file instead of standard error").option("-q, --quiet", "say only results and errors").addOption(new Option("-o, --output <format>", "form of the result").choices(outputs)).option("--json", "the same as -o json").option("--no-input", "never ask").option("--no-color", "no colors (also NO_COLOR)").option("--debug", "show stack traces of errors").option("--cp-url <url>", "control plane (default: the one that runs on this state dir, else http://127.0.0.1:7843)").option("--insecure-plaintext", "allow plain http to a control plane that is not on this machine").option("--session-cookie <value>", "session of a signed-in person; better MCPG_SESSION_COOKIE").option("--token <token>", "bearer token; better MCPG_TOKEN").option("--org <name>", "organization", "default").option("--workspace <name>", "workspace", "default").option("--environment <name>", "environment", "default").option("-p, --project <name>", "project");
}
var secretFlags = /* @__PURE__ */ new Set(["enrollmentUrl", "token", "sessionCookie", "databaseUrl"]);

// ctl/src/settings.ts
import { resolve } from "node:path";
import { homedir } from "node:os";
function settingsOf(flags, env, environmentGiven) {
  return {
    stateDir: resolve(env.cwd, flags.stateDir ?? `${env.env["HOME"] ?? homedir()}/.mcpg`),
    output: flags.output ?? (flags.json ? "json" : "table"),
    quiet: flags.quiet ?? false,
    input: flags.input && env.isTTY.stdin && env.isTTY.stderr,
    color: flags.color && !env.env["NO_COLOR"] && env.isTTY.stdout,
    debug: flags.debug ?? false,
    cpUrl: flags.cpUrl,
    insecurePlaintext: flags.insecurePlaintext ?? false,
    sessionCookie: flags.sessionCookie,
    token: flags.token,
    org: flags.org,
    workspace: flags.workspace,
    environment: flags.environment,
    environmentGiven,
    project: flags.project
  };
}

// ctl/src/start-again.ts
var notAgain = /* @__PURE__ */ new Set(["detach"]);
function startAgain(command) {
  const env = {};
  const args = [...pathOf(command), ...command.args];
  for (const { option, value } of typedOptions(command)) {
    if (notAgain.has(option.attributeName())) continue;
    if (secretFlags.has(option.attributeName())) env[variableOf(option)] = String(value);
    else args.push(...wordsOf(option, value));
  }
  return { args, env };
}
function commandLineOf(command) {
  return ["mcpg-ctl", ...startAgain(command).args].map((word) => /^[\w@%+=:,./*?-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
}
function pathOf(command) {
  return command.parent ? [...pathOf(command.parent), command.name()] : [];
}
function* typedOptions(command) {
  for (let level = command; level; level = level.parent)
    for (const option of level.options) {
      const key = option.attributeName();
      const value = level.getOptionValue(key);
      if (level.getOptionValueSource(key) !== "cli" || value === void 0 || typeof value === "boolean" && value === option.negate)
        continue;
      yield { option, value };
    }
}
function wordsOf(option, value) {
  const flag = option.long ?? option.short ?? "";
  if (typeof value === "boolean") return [flag];
  if (Array.isArray(value)) return value.flatMap((one) => [flag, String(one)]);
  if (typeof value === "object" && value !== null) return Object.entries(value).flatMap(([key, one]) => [flag, `${key}=${String(one)}`]);
  return [flag, String(value)];
}

// ctl/src/program.ts
async function runProgram(argv, env) {
  let exitCode = 0;
  const program = createProgram(env, (code) => exitCode = code);
  try {
    await program.parseAsync(argv.length > 0 ? argv : ["--help"], { from: "user" });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError && (error.exitCode === 0 || error.code === "commander.help")) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) {
      if (error.message) env.stderr.write(`${error.message}
`);
      return 130;
    }
    const json = wantsJson(argv, env);
    env.stderr.write(await describeFailure(error, { json, debug: argv.includes("--debug") || env.env["MCPG_DEBUG"] === "1" }));
    return exitCodeOf(error);
  }
}
function createProgram(env, onExitCode) {
  const program = new Command("mcpg-ctl");
  program.description("Control plane, gateways and MCP servers from the command line.").version(version, "-v, --version", "print the version").configureHelp({ showGlobalOptions: false, sortSubcommands: false }).configureOutput({
    writeOut: (text) => env.stdout.write(text),
    // Errors are printed once, by runProgram; help that follows a wrong command line is not.
    writeErr: (text) => env.stderr.write(text),
    outputError: () => {
    },
    getOutHelpWidth: () => env.columns,
    getErrHelpWidth: () => env.columns,
    getOutHasColors: () => false,
    getErrHasColors: () => false
  }).exitOverride().helpCommand(true).addHelpText("after", "\nEvery flag --some-flag can also be given as the environment variable MCPG_SOME_FLAG.");
  addGlobalFlags(program);
  program.hook("preAction", (_root, command) => readFlagsFromEnvironment(command, env.env));
  declareCommands(program, runner(program, env, onExitCode));
  return program;
}
function runner(program, env, onExitCode) {
  return (load) => async (...args) => {
    const command = args.at(-1);
    warnOfSecrets(command, env);
    const { run } = await load();
    const context = contextOf(program, command, env);
    onExitCode(await run(context, command.args, command.opts()) ?? 0);
  };
}
function contextOf(program, command, env) {
  const globals = program.opts();
  const settings = settingsOf(globals, env, program.getOptionValueSource("environment") !== "default");
  return {
    env,
    root: program,
    settings,
    globals,
    stopping: env.stopping,
    commandLine: commandLineOf(command),
    again: startAgain(command),
    api: async () => (await import("./client-CK4REHV7.js")).createApi({ settings, env }),
    print: (line) => void env.stdout.write(`${line}
`),
    say: (line) => void (settings.quiet || env.stderr.write(`${line}
`))
  };
}
function warnOfSecrets(command, env) {
  if (!env.isTTY.stderr) return;
  const typed = [];
  for (let level = command; level; level = level.parent)
    for (const option of level.options)
      if (secretFlags.has(option.attributeName()) && level.getOptionValueSource(option.attributeName()) === "cli")
        typed.push(option.long ?? "");
  if (typed.length === 0) return;
  const variables = typed.map((flag) => `MCPG_${flag.slice(2).replaceAll("-", "_").toUpperCase()}`);
  env.stderr.write(
    `warning: ${typed.join(", ")} can be read by others in the process list and the shell history; use ${variables.join(", ")} instead
`
  );
}
function wantsJson(argv, env) {
  const output = env.env["MCPG_OUTPUT"];
  const given = argv.some(
    (arg, index) => arg === "--json" || arg === "-ojson" || arg === "--output=json" || /^(-o|--output)$/.test(arg) && argv[index + 1] === "json"
  );
  return given || output === "json" || /^(1|true)$/.test(env.env["MCPG_JSON"] ?? "");
}
export {
  createProgram,
  runProgram
};
