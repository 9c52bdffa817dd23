import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  kindOf
} from "./chunk-P6I2SHZC.js";
import {
  nearest
} from "./chunk-LER2A23K.js";
import "./chunk-RWRD3TI4.js";
import "./chunk-PL4C277S.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import {
  table
} from "./chunk-4XWXZLT6.js";
import "./chunk-FLYOD2TJ.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/explain.ts
async function run({ settings, print }, [path = ""]) {
  const [word = "", ...fields] = path.split(".");
  const kind = kindOf(word);
  const root = external_exports.toJSONSchema(kind.spec, { io: "input", unrepresentable: "any" });
  const schema = fields.filter((field, index) => !(index === 0 && field === "spec")).reduce((parent, field) => childOf(parent, field, path), root);
  if (settings.output === "json" || settings.output === "yaml") {
    const { toYaml } = await import("./print-form-SPX65XQA.js");
    return print(settings.output === "json" ? JSON.stringify(schema, null, 2) : toYaml(schema).trimEnd());
  }
  print(`kind:  ${kind.kind}  (${kind.plural}, ${kind.aliases.join(", ")})`);
  if (fields.length > 0) print(`field: ${fields.join(".")}  <${typeOf(schema)}>`);
  const description = fields.length > 0 ? schema.description : kind.description;
  if (description) print(`
${description}`);
  const target = elementOf(schema);
  if (fields.length === 0 && kind.oneOf.length > 0) print(`
exactly one of: ${kind.oneOf.join(", ")}`);
  if (!target.properties) return;
  print("");
  const rows = Object.entries(target.properties).map(([name, one]) => [
    `${name}${target.required?.includes(name) ? " *" : ""}`,
    `<${typeOf(one)}>`,
    one.description ?? ""
  ]);
  for (const line of table(["field", "type", "description"], rows)) print(line);
}
function childOf(parent, field, path) {
  const { properties = {} } = elementOf(parent);
  const child = properties[field];
  if (child) return child;
  const guess = nearest(field, Object.keys(properties));
  throw new McpgError("not_found", "unknown_field", `There is no field ${path}.`, {
    hint: guess ? `did you mean ${guess}?` : `fields: ${Object.keys(properties).join(", ") || "none"}`
  });
}
function elementOf(schema) {
  if (schema.items) return elementOf(schema.items);
  return schema.anyOf?.find((one) => elementOf(one).properties) ?? schema;
}
function typeOf(schema) {
  if (schema.enum) return schema.enum.map(String).join(" | ");
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.type === "array") return `list of ${schema.items ? typeOf(schema.items) : "anything"}`;
  if (schema.type === "object") return schema.properties ? "map" : "map of text";
  if (schema.type === "string") return schema.format === "uri" ? "URL" : schema.pattern?.includes("ms|s|m|h|d") ? "duration" : "text";
  return schema.type === "boolean" ? "true | false" : schema.type ?? "anything";
}
export {
  run
};
