import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  readManifests
} from "./chunk-HSCJXWYJ.js";
import {
  confirm
} from "./chunk-PKPPMANZ.js";
import {
  kindOf,
  listObjects,
  readTargets
} from "./chunk-766BTVEX.js";
import "./chunk-LER2A23K.js";
import {
  environmentPath,
  objectPath
} from "./chunk-RWRD3TI4.js";
import "./chunk-PL4C277S.js";
import "./chunk-4URGEBAN.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-76733H5L.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/delete.ts
async function run(context, args, options) {
  const targets = options.file.length > 0 ? await targetsOfFiles() : await targetsOfWords();
  if (targets.length === 0) return context.say("nothing to delete");
  const shown = targets.map(({ kind, name }) => `${kind.kind.toLowerCase()}/${name}`);
  const few = shown.length <= 10 ? shown.join(", ") : `${shown.slice(0, 10).join(", ")} and ${shown.length - 10} more`;
  if (!options.yes && !await confirm(context, `Delete ${few}?`, "--yes")) return context.say("nothing was deleted");
  const api = await context.api();
  for (const { kind, name, environment } of targets) {
    const path = kind.kind === "Gateway" ? `${environmentPath({ ...context.settings, environment: environment ?? context.settings.environment })}/gateways/${encodeURIComponent(name)}` : objectPath(context.settings, kind.plural, name);
    await api.call("DELETE", path);
    context.print(`${kind.kind.toLowerCase()}/${name} deleted`);
  }
  async function targetsOfFiles() {
    if (args.length > 0) throw new McpgError("invalid", "usage", "Objects are named either by -f or by words, not both.");
    return (await readManifests(context, options)).map(({ kind, metadata }) => ({ kind: kindOf(kind), name: metadata.name }));
  }
  async function targetsOfWords() {
    if (args.length === 0)
      throw new McpgError("invalid", "usage", "What is to be deleted is not named.", {
        hint: "mcpg-ctl delete <kind> <name>, or -f <file>"
      });
    const { kinds, names } = readTargets(args);
    if (names.length === 0 && !options.selector)
      throw new McpgError("invalid", "usage", "No name is given.", { hint: `all of them: mcpg-ctl delete ${args[0]} '*'` });
    const api2 = await context.api();
    const lists = await Promise.all(
      kinds.map(
        async (kind) => (await listObjects(api2, kind, { names, selector: options.selector })).map(({ metadata }) => ({
          kind,
          name: metadata.name,
          environment: metadata.environment
        }))
      )
    );
    return lists.flat();
  }
}
export {
  run
};
