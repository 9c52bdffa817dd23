import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  nearest
} from "./chunk-LER2A23K.js";
import {
  expand
} from "./chunk-4URGEBAN.js";
import {
  findKind,
  kinds
} from "./chunk-5H4D5IBU.js";
import {
  ResourceInput
} from "./chunk-2YECXFWZ.js";
import {
  require_dist
} from "./chunk-76733H5L.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import {
  __toESM
} from "./chunk-7K33ZYCL.js";

// ctl/src/manifest/parse.ts
var import_yaml = __toESM(require_dist(), 1);

// ctl/src/manifest/manifest.ts
var showPosition = ({ file, line, column }) => `${file}:${line}:${column}`;
var pointerOf = (path) => path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
var pathOf = (pointer) => pointer.split("/").slice(1).map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));

// ctl/src/manifest/check-object.ts
var { metadata: Metadata } = ResourceInput.shape;
function checkObject(kind, metadata, spec) {
  return [...violations(Metadata, metadata, ["metadata"]), ...violations(kind.spec, spec, ["spec"])];
}
function violations(schema, value, base) {
  const result = schema.safeParse(value);
  return result.success ? [] : result.error.issues.flatMap((issue) => explain(issue, value, base, schema));
}
function explain(issue, value, base, schema) {
  const path = [...base, ...issue.path];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => ({
      pointer: pointerOf([...path, key]),
      detail: `is an unknown field${guess(key, fieldsAt(schema, issue.path))}`
    }));
  if (issue.code === "invalid_union") return [{ pointer: pointerOf(path), detail: unionText(issue) }];
  if (issue.code === "invalid_type" && valueAt(value, issue.path) === void 0) return [{ pointer: pointerOf(path), detail: "is missing" }];
  if (issue.code === "invalid_type") return [{ pointer: pointerOf(path), detail: `must be ${withArticle(issue.expected)}` }];
  return [{ pointer: pointerOf(path), detail: issue.message.replace(/^Invalid input: /, "") }];
}
function unionText(issue) {
  const parts = issue.errors.map((branch) => branch[0]).filter((one) => one !== void 0);
  const texts = parts.map((one) => one.code === "invalid_type" ? `be ${withArticle(one.expected)}` : one.message);
  return texts.length > 0 ? `must ${[...new Set(texts)].join(" or ")}` : issue.message;
}
var withArticle = (type) => type === "array" ? "a list" : type === "object" || type === "record" ? "a map" : /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
function valueAt(value, path) {
  let current = value;
  for (const step of path)
    current = typeof current === "object" && current !== null ? current[step] : void 0;
  return current;
}
function guess(key, fields) {
  const best = nearest(key, fields);
  return best ? `; did you mean ${best}?` : "";
}
function fieldsAt(schema, path) {
  let current = schema;
  for (const step of path) {
    const { shape, element } = unwrapped(current);
    current = shape ? shape[String(step)] : element;
  }
  return Object.keys(unwrapped(current).shape ?? {});
}
function unwrapped(schema) {
  let current = schema;
  while (current && !current.shape && !current.element && typeof current.unwrap === "function") current = current.unwrap();
  return current ?? {};
}

// ctl/src/manifest/normalize.ts
var apiVersion = "mcpg.dev/v1alpha1";
var metadataWords = ["name", "labels", "annotations", "resourceVersion"];
var filledIn = ["uid", "org", "workspace", "environment", "project", "generation", "createdAt", "updatedAt"];
function normalize(root, find) {
  const found = { objects: [], problems: [], find };
  if (root === null || root === void 0) return found;
  readRoot(root, [], found);
  return { objects: found.objects, problems: found.problems };
}
function readRoot(root, path, found) {
  if (Array.isArray(root)) return root.forEach((item, index) => readRoot(item, [...path, index], found));
  if (!isFields(root)) return complain(found, path, "must be a map: servers: [\u2026], or kind: and name:");
  if ("kind" in root || "apiVersion" in root) return readObject(root, path, found);
  if ("items" in root) return readList(root["items"], [...path, "items"], found);
  for (const [plural, list] of Object.entries(root)) readGroup(plural, list, [...path, plural], found);
}
function readList(items, path, found) {
  if (!Array.isArray(items)) return complain(found, path, "must be a list");
  readRoot(items, path, found);
}
function readGroup(plural, list, path, found) {
  const kind = kinds.find((one) => one.plural === plural);
  if (!kind)
    return complain(
      found,
      path,
      `is no kind of object${guess2(
        plural,
        kinds.map((one) => one.plural)
      )}`
    );
  if (kind.virtual) return complain(found, path, reportedOnly(kind));
  if (!Array.isArray(list)) return complain(found, path, "must be a list");
  list.forEach((item, index) => readFlat(kind, item, [...path, index], found));
}
function readObject(fields, path, found) {
  const { apiVersion: given, kind: word, ...rest } = fields;
  if (given !== void 0 && given !== apiVersion) complain(found, [...path, "apiVersion"], `must be ${apiVersion}`);
  if (typeof word !== "string") return complain(found, [...path, "kind"], "is missing");
  if (word.toLowerCase() === "list") return readList(rest["items"], [...path, "items"], found);
  const kind = findKind(word);
  if (!kind)
    return complain(
      found,
      [...path, "kind"],
      `"${word}" is no kind of object${guess2(
        word,
        kinds.map((one) => one.kind)
      )}`
    );
  if (kind.virtual) return complain(found, [...path, "kind"], reportedOnly(kind));
  if (given === void 0 && !("spec" in rest) && !("metadata" in rest)) return readFlat(kind, rest, path, found);
  readEnvelope(kind, rest, path, found);
}
function readFlat(kind, item, path, found) {
  if (!isFields(item)) return complain(found, path, "must be a map with a name");
  const metadata = {};
  const spec = {};
  for (const [key, value] of Object.entries(item)) (isMetadataWord(key) ? metadata : spec)[key] = value;
  add(kind, metadata, spec, { metadata: path, spec: path }, found);
}
function readEnvelope(kind, { metadata, spec, status: _status, ...others }, path, found) {
  for (const key of Object.keys(others)) complain(found, [...path, key], `is no field of an object${guess2(key, ["metadata", "spec"])}`);
  if (!isFields(metadata)) return complain(found, [...path, "metadata"], "must be a map with a name");
  if (!isFields(spec)) return complain(found, [...path, "spec"], "must be a map");
  const given = Object.fromEntries(Object.entries(metadata).filter(([key]) => !filledIn.includes(key)));
  add(kind, given, spec, { metadata: [...path, "metadata"], spec: [...path, "spec"] }, found);
}
function add(kind, metadata, spec, base, found) {
  const placeOf = (pointer) => {
    const [room, ...rest] = pathOf(pointer);
    return found.find([...room === "spec" ? base.spec : base.metadata, ...rest]);
  };
  const problems = checkObject(kind, metadata, spec);
  for (const { pointer, detail } of problems) {
    const { position, path } = placeOf(pointer);
    found.problems.push({ position, path, detail });
  }
  const object = {
    kind: kind.kind,
    metadata,
    spec,
    locate: (pointer) => placeOf(pointer).position
  };
  if (problems.length === 0) found.objects.push(object);
}
function complain({ problems, find }, path, detail) {
  const problem = { ...find(path), detail };
  problems.push(problem);
}
var isFields = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
var isMetadataWord = (key) => metadataWords.includes(key);
var reportedOnly = ({ kind }) => `${kind} objects are reported, not applied`;
function guess2(word, candidates) {
  const best = nearest(word, candidates);
  return best ? `; did you mean ${best}?` : "";
}

// ctl/src/manifest/parse.ts
function parseManifest(text, file, variable) {
  const lines = new import_yaml.LineCounter();
  const parsed = (0, import_yaml.parseAllDocuments)(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true, version: "1.2" });
  const documents = Array.isArray(parsed) ? parsed : [];
  const at = (offset) => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(1, line), column: Math.max(1, col) };
  };
  const manifest = { objects: [], problems: [] };
  for (const document of documents) {
    const syntax = [...document.errors].map((error) => ({
      position: at(error.pos[0]),
      path: "",
      detail: explain2(error.code, error.message)
    }));
    manifest.problems.push(...syntax);
    if (syntax.length > 0) continue;
    if (variable) manifest.problems.push(...expandScalars(document, variable, at));
    const { objects, problems } = normalize(valueOf(document, at, manifest.problems), finder(document, at));
    manifest.objects.push(...objects);
    manifest.problems.push(...problems);
  }
  return manifest;
}
function explain2(code, message) {
  return code === "DUPLICATE_KEY" ? "this key is given twice" : message.split("\n")[0];
}
function valueOf(document, at, problems) {
  try {
    return document.toJS({ maxAliasCount: 1e3 });
  } catch (error) {
    problems.push({ position: at(document.range[0]), path: "", detail: error.message });
    return null;
  }
}
function expandScalars(document, variable, at) {
  const problems = [];
  (0, import_yaml.visit)(document, {
    Scalar(key, node) {
      if (key === "key" || typeof node.value !== "string" || !node.value.includes("${")) return;
      node.value = expand(node.value, variable, (detail) => problems.push({ position: at(node.range?.[0] ?? 0), path: "", detail }));
    }
  });
  return problems;
}
function finder(document, at) {
  return (path) => {
    let node = document.contents;
    let offset = node?.range?.[0] ?? document.range[0];
    for (const step of path) {
      if ((0, import_yaml.isMap)(node)) {
        const pair = node.items.find(
          (one) => (0, import_yaml.isScalar)(one.key) && String(one.key.value) === String(step)
        );
        if (!pair) break;
        offset = pair.key.range?.[0] ?? offset;
        node = pair.value;
      } else if ((0, import_yaml.isSeq)(node)) {
        const item = node.items[Number(step)];
        if (!item) break;
        offset = item.range?.[0] ?? offset;
        node = item;
      } else break;
    }
    return { position: at(offset), path: pointerOf(path) };
  };
}

// ctl/src/manifest/read-files.ts
import { readdir, readFile, stat } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { text as readStream } from "node:stream/consumers";
async function readManifests({ env }, { file: given, expand: expand2 }) {
  if (given.length === 0)
    throw new McpgError("invalid", "missing_flag", "No manifest is given.", {
      hint: "name one with -f <file>, -f <folder> or -f - (MCPG_FILE)"
    });
  const objects = [];
  const problems = [];
  for (const source of given) {
    for (const { name, text } of await sourcesOf(source, env)) {
      const manifest = parseManifest(text, name, expand2 ? (variable) => env.env[variable] : void 0);
      objects.push(...manifest.objects);
      problems.push(...manifest.problems);
    }
  }
  problems.push(...duplicates(objects));
  if (problems.length > 0) throw manifestError(problems);
  return objects;
}
function manifestError(problems) {
  const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  return new McpgError("invalid", "bad_manifest", `The manifest has ${count}; nothing was written.`, {
    hint: "mcpg-ctl explain <kind> shows the fields of a kind",
    violations: problems.map(({ position, path, detail }) => ({
      pointer: showPosition(position),
      detail: path ? `${path} ${detail}` : detail
    }))
  });
}
async function sourcesOf(source, env) {
  if (source === "-") return [{ name: "(stdin)", text: await readStream(env.stdin) }];
  const path = resolve(env.cwd, source);
  try {
    const facts = await stat(path);
    if (!facts.isDirectory()) return [{ name: source, text: await readFile(path, "utf8") }];
    const names = (await readdir(path)).filter((name) => /\.(ya?ml|json)$/.test(name)).sort();
    if (names.length === 0) throw new McpgError("invalid", "no_manifest", `${source} holds no .yaml, .yml or .json file.`);
    return await Promise.all(
      names.map(async (name) => ({ name: relative(env.cwd, join(path, name)), text: await readFile(join(path, name), "utf8") }))
    );
  } catch (error) {
    if (error instanceof McpgError) throw error;
    throw new McpgError("invalid", "manifest_unreadable", `The manifest ${source} cannot be read.`, { cause: error });
  }
}
function duplicates(objects) {
  const seen = /* @__PURE__ */ new Map();
  return objects.flatMap((object) => {
    const key = `${object.kind}/${object.metadata.name}`;
    const first = seen.get(key);
    if (!first) seen.set(key, object);
    return first ? [
      {
        position: object.locate("/metadata/name"),
        path: "",
        detail: `${key} is given twice, first at ${showPosition(first.locate("/metadata/name"))}`
      }
    ] : [];
  });
}

export {
  showPosition,
  parseManifest,
  readManifests,
  manifestError
};
