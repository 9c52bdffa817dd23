import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  Name
} from "./chunk-QTVOKIVA.js";
import {
  external_exports
} from "./chunk-FMNGHHUN.js";

// proto/src/rest/tenancy.ts
var Tenancy = external_exports.object({ name: external_exports.string(), displayName: external_exports.string().optional(), createdAt: external_exports.string() });
var CreateTenancy = external_exports.strictObject({ name: Name, displayName: external_exports.string().max(200).optional() });
var defaultScope = { org: "default", workspace: "default", environment: "default" };

// proto/src/selectors.ts
function parseSelector(text) {
  return splitTerms(text).map(parseTerm);
}
function selects(terms, labels) {
  return terms.every((term) => {
    const value = labels[term.key];
    switch (term.operator) {
      case "exists":
        return value !== void 0;
      case "absent":
        return value === void 0;
      case "in":
        return value !== void 0 && term.values.includes(value);
      case "notin":
        return value === void 0 || !term.values.includes(value);
    }
  });
}
function splitTerms(text) {
  return text.split(/,(?![^(]*\))/).map((term) => term.trim()).filter((term) => term !== "");
}
function parseTerm(term) {
  const set = /^(\S+)\s+(in|notin)\s+\(([^()]*)\)$/.exec(term);
  if (set) return { key: set[1], operator: set[2], values: set[3].split(",").map((value) => value.trim()) };
  const equality = /^([^\s!=]+)\s*(==|=|!=)\s*([^\s!=]*)$/.exec(term);
  if (equality) return { key: equality[1], operator: equality[2] === "!=" ? "notin" : "in", values: [equality[3]] };
  const presence = /^(!?)\s*([^\s!=()]+)$/.exec(term);
  if (presence) return { key: presence[2], operator: presence[1] ? "absent" : "exists", values: [] };
  throw new RangeError(`"${term}" is not a selector term: write key=value, key!=value, key in (a,b), key notin (a,b), key or !key`);
}

export {
  parseSelector,
  selects,
  Tenancy,
  CreateTenancy,
  defaultScope
};
