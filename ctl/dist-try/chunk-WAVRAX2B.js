import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  watch
} from "./chunk-THYHKUTR.js";
import {
  Tenancy,
  parseSelector,
  selects
} from "./chunk-ROT3IL2Z.js";
import {
  globOf,
  listObjects,
  readTargets
} from "./chunk-766BTVEX.js";
import {
  listOf
} from "./chunk-PL4C277S.js";
import {
  relative
} from "./chunk-TZZTGTTZ.js";
import {
  growingTable,
  table
} from "./chunk-ZQK2QCVJ.js";
import {
  Interrupted
} from "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";

// ctl/src/output/print-resources.ts
async function printResources({ settings, print, say }, lists, isSingle, withWorkspace = false) {
  const all = lists.flatMap(({ resources }) => resources);
  switch (settings.output) {
    case "json":
      return print(JSON.stringify(isSingle && all.length === 1 ? all[0] : { items: all }, null, 2));
    case "ndjson":
      return all.forEach((resource) => print(JSON.stringify(resource)));
    case "yaml": {
      const { groupedYaml } = await import("./print-form-SPX65XQA.js");
      return print(groupedYaml(all).trimEnd());
    }
    case "name":
      return lists.forEach(
        ({ kind, resources }) => resources.forEach(({ metadata }) => print(`${kind.kind.toLowerCase()}/${metadata.name}`))
      );
    default: {
      const filled = lists.filter(({ resources }) => resources.length > 0);
      if (filled.length === 0) say(`no ${lists.map(({ kind }) => kind.plural).join(", ")} found`);
      filled.forEach((list, index) => {
        if (index > 0) print("");
        printTable(list, settings.output === "wide", withWorkspace, print);
      });
    }
  }
}
function columnsOf(kind, isWide, withWorkspace = false) {
  const columns = kind.columns.filter((column) => isWide || !column.wide);
  return {
    header: [...withWorkspace ? ["workspace"] : [], ...columns.map(({ name }) => name)],
    cells: (resource) => [
      ...withWorkspace ? [resource.metadata.workspace ?? ""] : [],
      ...columns.map(({ value }) => isWide ? value(resource) : relative(value(resource)))
    ]
  };
}
function printTable({ kind, resources }, isWide, withWorkspace, print) {
  const { header, cells } = columnsOf(kind, isWide, withWorkspace);
  table(header, resources.map(cells)).forEach((line) => print(line));
}

// ctl/src/watch-objects.ts
async function watchObjects(context, api, kinds, filter) {
  const { say, stopping } = context;
  const isWanted = matcher(filter);
  const show = printer(context, kinds);
  for await (const { type, object } of watch(api, { kinds: kinds.map(({ kind }) => kind), signal: stopping, say })) {
    if (type === "BOOKMARK") show.settled();
    if (object && isWanted(object)) show.event(type, object);
  }
  throw new Interrupted(`stopped watching; go on with: ${context.commandLine}`);
}
function matcher({ selector, names = [], environment }) {
  const terms = termsOf(selector ?? "");
  const patterns = names.map(globOf);
  return ({ metadata }) => selects(terms, metadata.labels) && !(environment && metadata.environment && metadata.environment !== environment) && (patterns.length === 0 || patterns.some((pattern) => pattern.test(metadata.name)));
}
function termsOf(selector) {
  try {
    return parseSelector(selector);
  } catch (error) {
    throw new McpgError("invalid", "bad_selector", error.message);
  }
}
function printer({ settings, print }, kinds) {
  const { output } = settings;
  const tables = new Map(kinds.map((kind) => [kind.kind, { ...columnsOf(kind, output === "wide"), ...growingTable() }]));
  let first = [];
  let headed = "";
  return { event, settled };
  function event(type, object) {
    if (output === "json" || output === "ndjson") print(JSON.stringify({ type, object }));
    else if (output === "yaml")
      void import("./print-form-SPX65XQA.js").then(({ toYaml }) => print(`---
${toYaml({ type, object }).trimEnd()}`));
    else if (output === "name") print(`${object.kind.toLowerCase()}/${object.metadata.name}`);
    else if (first) first.push({ type, object });
    else row(type, object);
  }
  function settled() {
    const held = first;
    first = null;
    for (const { type, object } of held ?? []) tables.get(object.kind)?.measure([type, ...tables.get(object.kind).cells(object)]);
    held?.forEach(({ type, object }) => row(type, object));
  }
  function row(type, object) {
    const found = tables.get(object.kind);
    if (!found) return;
    if (headed !== object.kind) print(found.line(["EVENT", ...found.header.map((name) => name.toUpperCase())]));
    headed = object.kind;
    print(found.line([type, ...found.cells(object)]));
  }
}

// ctl/src/commands/get.ts
async function run(context, args, { selector, allWorkspaces, watch: watch2 }) {
  const { kinds, names } = readTargets(args);
  const api = await context.api();
  const environment = context.settings.environmentGiven ? context.settings.environment : void 0;
  if (watch2 && allWorkspaces)
    throw new McpgError("invalid", "usage", "One workspace is watched at a time.", { hint: "name it with --workspace" });
  if (watch2) return watchObjects(context, api, kinds, { selector, names, environment });
  const scopes = allWorkspaces ? await workspaces() : [context.settings];
  const lists = await Promise.all(
    kinds.map(async (kind) => ({
      kind,
      resources: (await Promise.all(scopes.map((scope) => listObjects(api, kind, { selector, names, environment }, scope)))).flat()
    }))
  );
  await printResources(context, lists, names.length === 1 && kinds.length === 1, allWorkspaces);
  async function workspaces() {
    const { body } = await api.call("GET", `/v1/orgs/${context.settings.org}/workspaces`, { schema: listOf(Tenancy) });
    return body.items.map(({ name }) => ({ ...context.settings, workspace: name }));
  }
}

export {
  run
};
