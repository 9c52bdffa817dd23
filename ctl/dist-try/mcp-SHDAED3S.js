import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  createParser
} from "./chunk-6SWOAVZM.js";
import {
  listGateways
} from "./chunk-DKPMSQBW.js";
import "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/mcp.ts
import { createInterface } from "node:readline";

// ctl/src/bridge/bridge.ts
import { setTimeout as delay } from "node:timers/promises";

// ctl/src/bridge/messages.ts
var versionKey = "io.modelcontextprotocol/protocolVersion";
var isModern = (message) => versionOf(message) !== void 0;
function headersOf(message) {
  const { method = "", params } = message;
  const name = method === "resources/read" ? params?.["uri"] : method === "tools/call" || method === "prompts/get" ? params?.["name"] : void 0;
  return {
    "mcp-protocol-version": versionOf(message) ?? "",
    "mcp-method": method,
    ...typeof name === "string" ? { "mcp-name": headerValue(name) } : {}
  };
}
function headerValue(text) {
  const isPlain = /^[\x21-\x7e]([\x20-\x7e]*[\x21-\x7e])?$/.test(text) && !text.startsWith("=?base64?");
  return isPlain ? text : `=?base64?${Buffer.from(text).toString("base64")}?=`;
}
function versionOf({ params }) {
  const version = params?.["_meta"]?.[versionKey];
  return typeof version === "string" ? version : void 0;
}

// ctl/src/bridge/tool-headers.ts
function toolHeaders() {
  const known = /* @__PURE__ */ new Map();
  return { learn, headersOf: headersOf2 };
  function learn({ result }) {
    const { tools } = result ?? {};
    for (const { name, inputSchema } of Array.isArray(tools) ? tools : []) {
      const annotated = Object.entries(inputSchema?.properties ?? {}).flatMap(
        ([parameter, schema]) => typeof schema?.["x-mcp-header"] === "string" ? [[parameter, schema["x-mcp-header"]]] : []
      );
      if (typeof name === "string") known.set(name, annotated);
    }
  }
  function headersOf2({ method, params }) {
    if (method !== "tools/call") return {};
    const given = params?.["arguments"] ?? {};
    const pairs = (known.get(String(params?.["name"])) ?? []).filter(
      ([parameter]) => /^(string|number|boolean)$/.test(typeof given[parameter])
    );
    return Object.fromEntries(
      pairs.map(([parameter, header]) => [`mcp-param-${header.toLowerCase()}`, headerValue(String(given[parameter]))])
    );
  }
}

// ctl/src/bridge/bridge.ts
var maxStreamPauseMs = 1e4;
function bridge({
  url,
  token,
  write,
  signal
}) {
  const open = /* @__PURE__ */ new Map();
  const pending = /* @__PURE__ */ new Set();
  const toolParams = toolHeaders();
  const ended = new AbortController();
  let session = null;
  let initialize = null;
  let opening = null;
  return { receive, close };
  async function receive(message) {
    if (message.method === "notifications/cancelled" && cancel(message)) return;
    const work = forward(message).finally(() => pending.delete(work));
    pending.add(work);
    if (message.method === "initialize" || message.method === "notifications/initialized") await work;
    if (message.method === "notifications/initialized") void listen();
  }
  async function close() {
    await Promise.race([Promise.all(pending), delay(5e3, void 0, { ref: false })]);
    ended.abort();
    if (session?.id) await post("DELETE", void 0, sessionHeaders(), AbortSignal.timeout(2e3)).catch(() => {
    });
  }
  function cancel(message) {
    const id = message.params?.["requestId"];
    const request = open.get(id);
    if (!request || session) return false;
    request.abort();
    return true;
  }
  async function forward(message) {
    const abort = new AbortController();
    if (message.id !== void 0 && message.method) open.set(message.id, abort);
    try {
      await send(message, AbortSignal.any([signal, ended.signal, abort.signal]));
    } catch (error) {
      if (!abort.signal.aborted && !ended.signal.aborted) fail(message, `the gateway at ${url} cannot be reached: ${reasonOf(error)}`);
    } finally {
      if (message.id !== void 0) open.delete(message.id);
    }
  }
  async function send(message, until, isRetry = false) {
    const modern = isModern(message);
    if (message.method === "initialize") [initialize, session] = [message, null];
    else if (!modern) await opening?.catch(() => {
    });
    const used = session;
    const response = await post(
      "POST",
      message,
      modern ? { ...headersOf(message), ...toolParams.headersOf(message) } : sessionHeaders(),
      until
    );
    if (response.status === 404 && used?.id && !modern && !isRetry && (used !== session || await reopen()))
      return send(message, until, true);
    if (message.method === "initialize" && response.ok) session = { id: response.headers.get("mcp-session-id"), version: "" };
    if (!response.ok) return refuse(message, response);
    await read(response, message);
  }
  async function reopen() {
    const first = initialize;
    if (!first) return false;
    opening ??= (async () => {
      session = null;
      const response = await post("POST", first, {}, signal);
      if (response.ok) session = { id: response.headers.get("mcp-session-id"), version: "" };
      await messagesOf(response, noteVersion);
      await post("POST", { jsonrpc: "2.0", method: "notifications/initialized" }, sessionHeaders(), signal);
      void listen();
    })().finally(() => opening = null);
    return opening.then(
      () => session !== null,
      () => false
    );
  }
  async function listen() {
    const mine = session;
    const isMine = () => mine !== null && mine === session && !ended.signal.aborted;
    for (let pauseMs = 500; isMine(); pauseMs = Math.min(maxStreamPauseMs, pauseMs * 2)) {
      const response = await post("GET", void 0, sessionHeaders(), AbortSignal.any([signal, ended.signal])).catch(() => null);
      if (response?.status === 405 || response?.status === 400) return;
      if (response?.status === 404 && isMine()) return void await reopen();
      if (response?.ok) {
        pauseMs = 500;
        await messagesOf(response, write).catch(() => {
        });
      }
      await delay(pauseMs, void 0, { signal: ended.signal, ref: false }).catch(() => {
      });
    }
  }
  async function read(response, request) {
    let isAnswered = request.id === void 0 || !request.method;
    await messagesOf(response, (message) => {
      if (message.id !== void 0 && message.id === request.id && !message.method) isAnswered = true;
      if (request.method === "initialize") noteVersion(message);
      if (request.method === "tools/list") toolParams.learn(message);
      write(message);
    });
    if (!isAnswered) fail(request, "the gateway closed the connection before it answered");
  }
  function noteVersion(message) {
    const version = message.result?.["protocolVersion"];
    if (session && typeof version === "string") session.version = version;
  }
  async function refuse(message, response) {
    const body = parseMessage(await response.text().catch(() => ""));
    if (body?.error && message.id !== void 0) return write({ ...body, id: message.id });
    fail(message, `the gateway answered ${response.status} ${response.statusText}`);
  }
  function fail(message, text) {
    if (message.id !== void 0 && message.method) write({ jsonrpc: "2.0", id: message.id, error: { code: -32603, message: text } });
  }
  function sessionHeaders() {
    return {
      ...session?.id ? { "mcp-session-id": session.id } : {},
      ...session?.version ? { "mcp-protocol-version": session.version } : {}
    };
  }
  function post(method, body, headers, until) {
    return fetch(url, {
      method,
      signal: until,
      redirect: "error",
      headers: {
        accept: method === "GET" ? "text/event-stream" : "application/json, text/event-stream",
        ...body === void 0 ? {} : { "content-type": "application/json" },
        ...token ? { authorization: `Bearer ${token}` } : {},
        ...headers
      },
      ...body === void 0 ? {} : { body: JSON.stringify(body) }
    });
  }
}
async function messagesOf(response, each) {
  if (!response.headers.get("content-type")?.startsWith("text/event-stream")) {
    const message = parseMessage(await response.text());
    if (message) each(message);
    return;
  }
  const parser = createParser({
    onEvent: ({ data }) => {
      const message = parseMessage(data);
      if (message) each(message);
    }
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) parser.feed(decoder.decode(chunk, { stream: true }));
}
function parseMessage(text) {
  try {
    const value = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : null;
  } catch {
    return null;
  }
}
function reasonOf(error) {
  const { cause, message } = error;
  return cause instanceof Error ? cause.message || cause.code || message : message;
}

// ctl/src/commands/mcp.ts
async function run(context, _args, options) {
  const { env, settings, stopping } = context;
  const url = await endpointOf(context, options);
  const { receive, close } = bridge({
    url,
    token: settings.token,
    signal: stopping,
    write: (message) => env.stdout.write(`${JSON.stringify(message)}
`)
  });
  const lines = createInterface({ input: env.stdin });
  stopping.addEventListener("abort", () => lines.close(), { once: true });
  for await (const line of lines) {
    if (line.trim() === "") continue;
    const message = parseMessage(line);
    if (message) await receive(message);
    else env.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id: null, error: { code: -32700, message: "not a JSON-RPC message" } })}
`);
  }
  await close();
}
async function endpointOf(context, { url, server, name }) {
  const base = new URL(url === void 0 ? await localEndpoint(context, name) : checked(url, context));
  if (server !== void 0) base.pathname = `${base.pathname.replace(/\/(servers\/.*)?$/, "")}/servers/${encodeURIComponent(server)}`;
  return base.href;
}
function checked(text, { settings }) {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new McpgError("invalid", "malformed_url", `"${text}" is not the URL of an endpoint.`, {
      hint: "write it like http://127.0.0.1:7845/mcp (--url, MCPG_URL)"
    });
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !isLoopback && !settings.insecurePlaintext)
    throw new McpgError("invalid", "plaintext_refused", `${url.origin} is plain http to another machine.`, {
      hint: "use https, or --insecure-plaintext on a network you trust"
    });
  if (url.pathname === "/") url.pathname = "/mcp";
  return url.href;
}
async function localEndpoint({ settings }, name) {
  const gateways = await listGateways(settings.stateDir);
  const preferred = [name, ...name ? [] : ["default", "quickstart", gateways[0]?.name]];
  const found = preferred.map((wanted) => gateways.find((one) => one.name === wanted)).find((one) => one?.endpoints["mcp"]);
  if (found?.endpoints["mcp"]) return found.endpoints["mcp"];
  throw new McpgError(
    "unavailable",
    "no_local_gateway",
    name ? `No gateway ${name} runs on ${settings.stateDir}.` : `No gateway runs on ${settings.stateDir}.`,
    {
      hint: "start one (mcpg-ctl quickstart, mcpg-ctl gateway), or name an endpoint with --url (MCPG_URL) or another --state-dir"
    }
  );
}
export {
  run
};
