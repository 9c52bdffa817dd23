import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  listPath
} from "./chunk-RWRD3TI4.js";
import {
  ResourceList
} from "./chunk-PL4C277S.js";
import {
  findKind,
  kinds
} from "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/completion/candidates.ts
var byKind = /* @__PURE__ */ new Set(["get", "describe", "delete", "edit"]);
async function candidates(program, words, names) {
  const current = words.at(-1) ?? "";
  const { command, args, before } = walk(program, words.slice(0, -1));
  const found = await wordsAt(program, command, args, before, current, names);
  return [...new Set(found)].filter((word) => word.startsWith(current)).sort();
}
async function wordsAt(program, command, args, before, current, names) {
  if (before && (before.required || before.optional)) return before.argChoices ?? [];
  if (current.startsWith("-"))
    return [...command.options, ...program.options].filter(({ hidden }) => !hidden).flatMap(({ long }) => long ? [long] : []).concat("--help");
  const visible = command.commands.filter((one) => !("_hidden" in one && one._hidden) && !one.name().startsWith("__"));
  if (visible.length > 0) return visible.map((one) => one.name());
  if (command.name() === "completion") return ["bash", "zsh", "fish", "powershell"];
  if (command.parent?.name() === "server") return names.objects("servers");
  if (command.name() === "revoke") return names.objects("enrollments");
  if (command.name() === "explain") return names.kinds();
  if (command.name() === "wait" || byKind.has(command.name()) && current.includes("/")) return pairs(current, names);
  if (!byKind.has(command.name())) return [];
  return args.length === 0 ? names.kinds() : names.objects(args[0]);
}
async function pairs(current, names) {
  const slash = current.indexOf("/");
  if (slash < 0) return (await names.kinds()).map((kind2) => `${kind2}/`);
  const kind = current.slice(0, slash);
  return (await names.objects(kind)).map((name) => `${kind}/${name}`);
}
function walk(program, words) {
  let command = program;
  let before;
  const args = [];
  for (const word of words) {
    if (before?.required) {
      before = void 0;
      continue;
    }
    before = void 0;
    if (word.startsWith("-")) {
      if (!word.includes("=")) before = [...command.options, ...program.options].find(({ short, long }) => word === short || word === long);
      continue;
    }
    const next = args.length === 0 ? command.commands.find((one) => one.name() === word) : void 0;
    if (next) command = next;
    else args.push(word);
  }
  return { command, args, before: before?.required ? before : void 0 };
}

// ctl/src/commands/complete.ts
var patienceMs = 150;
async function run(context, words) {
  const found = await candidates(context.root, words, {
    kinds: async () => kinds.map(({ plural }) => plural),
    objects: (kind) => objects(context, kind).catch(() => [])
  });
  found.forEach((word) => context.print(word));
}
async function objects(context, word) {
  const kind = findKind(word);
  if (!kind) return [];
  const api = await context.api();
  const { body } = await api.call("GET", listPath(context.settings, kind.plural), {
    query: { limit: 500 },
    schema: ResourceList,
    timeoutMs: patienceMs
  });
  return body.items.map(({ metadata }) => metadata.name);
}
export {
  run
};
