import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  escapeReferences
} from "./chunk-4URGEBAN.js";
import {
  kinds
} from "./chunk-5H4D5IBU.js";
import {
  require_dist
} from "./chunk-76733H5L.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";
import {
  __toESM
} from "./chunk-7K33ZYCL.js";

// ctl/src/manifest/print-form.ts
var import_yaml = __toESM(require_dist(), 1);

// ctl/src/manifest/field-order.ts
var known = /* @__PURE__ */ new WeakMap();
function fieldOrder(schema, value) {
  let json = known.get(schema);
  if (!json) known.set(schema, json = external_exports.toJSONSchema(schema, { io: "input", unrepresentable: "any" }));
  return ordered(json, value);
}
function ordered(schema, value) {
  if (Array.isArray(value)) return value.map((item) => ordered(schema?.items, item));
  if (typeof value !== "object" || value === null) return value;
  const { properties = {} } = schema ?? {};
  const fields = value;
  const names = [
    ...Object.keys(properties).filter((name) => name in fields),
    ...Object.keys(fields).filter((name) => !(name in properties))
  ];
  return Object.fromEntries(names.map((name) => [name, ordered(properties[name], fields[name])]));
}

// ctl/src/manifest/print-form.ts
function groupedYaml(resources) {
  const groups = {};
  for (const kind of kinds) {
    const own = resources.filter((one) => one.kind === kind.kind);
    if (own.length > 0) groups[kind.plural] = own.map((one) => groupedFields(kind, one));
  }
  return toYaml(groups);
}
function groupedFields(kind, { metadata, spec, status }) {
  return escaped({
    name: metadata.name,
    ...isEmpty(metadata.labels) ? {} : { labels: metadata.labels },
    ...isEmpty(metadata.annotations) ? {} : { annotations: metadata.annotations },
    ...fieldOrder(kind.spec, spec),
    ...kind.virtual && status ? { status } : {}
  });
}
var toYaml = (value) => (0, import_yaml.stringify)(value, { version: "1.2", compat: "yaml-1.1", lineWidth: 0 });
var isEmpty = (map) => !map || Object.keys(map).length === 0;
function escaped(value) {
  if (typeof value === "string") return escapeReferences(value);
  if (Array.isArray(value)) return value.map(escaped);
  if (typeof value === "object" && value !== null) return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, escaped(one)]));
  return value;
}

export {
  fieldOrder,
  groupedYaml,
  groupedFields,
  toYaml
};
