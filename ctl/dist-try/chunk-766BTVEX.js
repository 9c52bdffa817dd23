import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  nearest
} from "./chunk-LER2A23K.js";
import {
  listPath,
  objectPath
} from "./chunk-RWRD3TI4.js";
import {
  ResourceList
} from "./chunk-PL4C277S.js";
import {
  findKind,
  kinds
} from "./chunk-5H4D5IBU.js";
import {
  Resource
} from "./chunk-2YECXFWZ.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/api/objects.ts
var pageSize = 500;
function kindOf(word) {
  const kind = findKind(word);
  if (kind) return kind;
  const guess = nearest(
    word,
    kinds.flatMap((one) => [one.plural, one.kind.toLowerCase(), ...one.aliases])
  );
  throw new McpgError("invalid", "unknown_kind", `"${word}" is no kind of object.`, {
    hint: guess ? `did you mean ${guess}?` : `kinds: ${kinds.map((one) => one.plural).join(", ")}`
  });
}
function readTargets(args) {
  const [first = "", ...rest] = args;
  if (first.includes("/")) {
    const pairs = args.map((arg) => splitTarget(arg));
    const [kind] = pairs;
    if (kind && pairs.some((pair) => pair.kind !== kind.kind))
      throw new McpgError("invalid", "mixed_kinds", "Only objects of one kind can be named by kind/name in one command.");
    return { kinds: kind ? [kind.kind] : [], names: pairs.map(({ name }) => name) };
  }
  return { kinds: first === "all" ? [...kinds] : first.split(",").map(kindOf), names: rest };
}
function splitTarget(text) {
  const slash = text.indexOf("/");
  if (slash < 1 || slash === text.length - 1)
    throw new McpgError("invalid", "bad_target", `"${text}" is not kind/name.`, { hint: "write it like server/everything" });
  return { kind: kindOf(text.slice(0, slash)), name: text.slice(slash + 1) };
}
async function listObjects(api, kind, { selector, names = [], environment } = {}, scope = api.settings) {
  const isGlob = names.some((name) => /[*?]/.test(name));
  if (names.length > 0 && !isGlob && !selector) return Promise.all(names.map((name) => getObject(api, kind, name, scope)));
  const found = [];
  let cursor;
  do {
    const { body } = await api.call("GET", listPath(scope, kind.plural), {
      query: { limit: pageSize, cursor, labelSelector: selector },
      schema: ResourceList
    });
    found.push(...body.items);
    cursor = body.nextCursor;
  } while (cursor);
  const patterns = names.map(globOf);
  return found.filter(
    ({ metadata }) => (patterns.length === 0 || patterns.some((pattern) => pattern.test(metadata.name))) && (!environment || !metadata.environment || metadata.environment === environment)
  );
}
async function getObject(api, kind, name, scope = api.settings) {
  try {
    const { body } = await api.call("GET", objectPath(scope, kind.plural, name), { schema: Resource });
    return body;
  } catch (error) {
    throw withHint(error, kind);
  }
}
async function findObject(api, kind, name) {
  return getObject(api, kind, name).catch((error) => {
    if (error instanceof McpgError && error.code === "not_found") return null;
    throw error;
  });
}
function withHint(error, kind) {
  if (!(error instanceof McpgError) || error.code !== "not_found" || error.hint) return error;
  return new McpgError(error.code, error.reason, error.message, {
    hint: `mcpg-ctl get ${kind.plural}`,
    cause: error.cause,
    violations: error.violations
  });
}
var globOf = (text) => new RegExp(
  `^${text.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`
);

export {
  kindOf,
  readTargets,
  splitTarget,
  listObjects,
  getObject,
  findObject,
  globOf
};
