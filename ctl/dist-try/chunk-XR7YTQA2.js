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
  listObjects,
  readTargets
} from "./chunk-P6I2SHZC.js";
import {
  listOf
} from "./chunk-PL4C277S.js";
import {
  relative
} from "./chunk-TZZTGTTZ.js";
import {
  table
} from "./chunk-4XWXZLT6.js";
import {
  Interrupted
} from "./chunk-J4ZBDK6U.js";

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
async function watchObjects(context, api, kinds, { selector, names = [], environment }) {
  const { settings, print, say, stopping } = context;
  const terms = parseSelector(selector ?? "");
  const isJson = settings.output === "json" || settings.output === "ndjson";
  const patterns = names.map(
    (name) => new RegExp(
      `^${name.replace(/[.+^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*").replaceAll("?", ".")}$`
    )
  );
  let headed = "";
  for await (const { type, object } of watch(api, { kinds: kinds.map(({ kind }) => kind), signal: stopping, say })) {
    if (!object || !isWanted(object)) continue;
    if (isJson) print(JSON.stringify({ type, object }));
    else if (settings.output === "name") print(`${object.kind.toLowerCase()}/${object.metadata.name}`);
    else printRow(type, object);
  }
  throw new Interrupted(`stopped watching; go on with: ${context.commandLine}`);
  function isWanted({ metadata }) {
    if (!selects(terms, metadata.labels)) return false;
    if (environment && metadata.environment && metadata.environment !== environment) return false;
    return patterns.length === 0 || patterns.some((pattern) => pattern.test(metadata.name));
  }
  function printRow(type, object) {
    const kind = kinds.find((one) => one.kind === object.kind);
    if (!kind) return;
    const { header, cells } = columnsOf(kind, settings.output === "wide");
    const [head = "", row = ""] = table(["event", ...header], [[type, ...cells(object)].map((cell) => cell.padEnd(14))]);
    if (headed !== kind.kind) print(head);
    headed = kind.kind;
    print(row);
  }
}

// ctl/src/commands/get.ts
async function run(context, args, { selector, allWorkspaces, watch: watch2 }) {
  const { kinds, names } = readTargets(args);
  const api = await context.api();
  const environment = context.settings.environmentGiven ? context.settings.environment : void 0;
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
