import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Problem,
  errorOfProblem
} from "./chunk-M5WKGRAZ.js";
import {
  findControlPlane
} from "./chunk-DKPMSQBW.js";
import "./chunk-3RJPI3PA.js";
import "./chunk-FMNGHHUN.js";
import {
  ApiError,
  Interrupted
} from "./chunk-J4ZBDK6U.js";
import {
  McpgError,
  errorCodes
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/api/client.ts
import { setTimeout as delay } from "node:timers/promises";
var defaultUrl = "http://127.0.0.1:7843";
var maxRetries = 5;
var answerTimeoutMs = 12e4;
async function createApi({ settings, env }) {
  const url = checkedUrl(settings.cpUrl ?? (await findControlPlane(settings.stateDir))?.endpoints["http"] ?? defaultUrl, settings);
  return { url, settings, call, open };
  async function call(method, path, options = {}) {
    for (let attempt = 1; ; attempt++) {
      const response = await send(
        method,
        path,
        options,
        AbortSignal.any([env.stopping, AbortSignal.timeout(options.timeoutMs ?? answerTimeoutMs)])
      );
      if (response.ok) return { status: response.status, headers: response.headers, body: await bodyOf(response, options.schema) };
      const error = await errorOf(response);
      if (!isBusy(response.status) || attempt > maxRetries) throw error;
      await pause(response, attempt, error);
    }
  }
  async function open(path, { query, headers, signal }) {
    for (let attempt = 1; ; attempt++) {
      const response = await send(
        "GET",
        path,
        { ...query ? { query } : {}, headers: { accept: "text/event-stream", ...headers } },
        signal
      );
      if (response.ok) return response;
      const error = await errorOf(response);
      if (!isBusy(response.status) || attempt > maxRetries) throw error;
      await pause(response, attempt, error);
    }
  }
  async function send(method, path, { query, body, headers }, signal) {
    const target = new URL(path, url);
    for (const [key, value] of Object.entries(query ?? {})) if (value !== void 0) target.searchParams.set(key, String(value));
    try {
      return await fetch(target, {
        method,
        signal,
        redirect: "error",
        headers: {
          accept: "application/json",
          ...body === void 0 ? {} : { "content-type": "application/json" },
          ...settings.token ? { authorization: `Bearer ${settings.token}` } : {},
          ...settings.sessionCookie ? { cookie: `mcpg_sid=${settings.sessionCookie}`, "x-mcpg-request": "1" } : {},
          ...headers
        },
        ...body === void 0 ? {} : { body: JSON.stringify(body) }
      });
    } catch (error) {
      throw unreachable(error, signal);
    }
  }
  function unreachable(error, signal) {
    if (env.stopping.aborted) return new Interrupted();
    if (signal.aborted && error.name === "TimeoutError")
      return new McpgError("unavailable", "no_answer", `The control plane at ${url} does not answer.`, { hint: "mcpg-ctl status" });
    return new McpgError("unavailable", "control_plane_unreachable", `The control plane at ${url} cannot be reached.`, {
      cause: error,
      hint: settings.cpUrl ? "check --cp-url (MCPG_CP_URL), or start one: mcpg-ctl quickstart" : "start one: mcpg-ctl quickstart; or say where it is: --cp-url (MCPG_CP_URL)"
    });
  }
  async function pause(response, attempt, error) {
    const seconds = Math.min(60, Math.max(0, Number(response.headers.get("retry-after") ?? 1) || 0));
    if (!settings.quiet)
      env.stderr.write(`${error.message.replace(/\.$/, "")} (${response.status}), again in ${seconds} s (${attempt}/${maxRetries})
`);
    await delay(seconds * 1e3, void 0, { signal: env.stopping }).catch(() => {
      throw new Interrupted();
    });
  }
}
var isBusy = (status) => status === 429 || status === 503;
function checkedUrl(text, settings) {
  let url;
  try {
    url = new URL(text);
  } catch {
    throw new McpgError("invalid", "malformed_url", `"${text}" is not the URL of a control plane.`, {
      hint: "write it like http://127.0.0.1:7843 (--cp-url, MCPG_CP_URL)"
    });
  }
  if (!/^https?:$/.test(url.protocol))
    throw new McpgError("invalid", "malformed_url", `A control plane speaks http or https, not ${url.protocol}`, {
      hint: "check --cp-url (MCPG_CP_URL)"
    });
  const isLoopback = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(url.hostname);
  if (url.protocol === "http:" && !isLoopback && !settings.insecurePlaintext)
    throw new McpgError(
      "invalid",
      "plaintext_refused",
      `${url.origin} is plain http to another machine: everybody on the way could read and change it.`,
      {
        hint: "use https, or --insecure-plaintext on a network you trust"
      }
    );
  return url.href;
}
async function bodyOf(response, schema) {
  const text = await response.text();
  const json = text === "" ? void 0 : parseJson(text);
  if (!schema) return json;
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new McpgError("internal", "answer_not_understood", `The answer of ${response.url} is not what this version of mcpg-ctl expects.`, {
    cause: parsed.error,
    hint: "mcpg-ctl version"
  });
}
function parseJson(text) {
  try {
    return JSON.parse(text);
  } catch {
    return void 0;
  }
}
async function errorOf(response) {
  const problem = Problem.safeParse(parseJson(await response.text().catch(() => "")));
  const requestId = response.headers.get("x-request-id") ?? void 0;
  if (problem.success) return new ApiError(errorOfProblem(problem.data), problem.data.requestId ?? requestId);
  const code = Object.keys(errorCodes).find((one) => errorCodes[one].http === response.status) ?? "internal";
  const error = new McpgError(code, "no_problem_document", `${response.url} answered ${response.status} ${response.statusText}`.trim(), {
    status: response.status,
    hint: "is this an mcpg control plane? check --cp-url (MCPG_CP_URL)"
  });
  return new ApiError(error, requestId);
}
export {
  createApi
};
