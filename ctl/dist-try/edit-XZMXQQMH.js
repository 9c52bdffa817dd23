import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  manifestError,
  parseManifest
} from "./chunk-HSCJXWYJ.js";
import {
  getObject,
  readTargets
} from "./chunk-P6I2SHZC.js";
import "./chunk-LER2A23K.js";
import {
  objectPath
} from "./chunk-RWRD3TI4.js";
import "./chunk-PL4C277S.js";
import {
  groupedYaml
} from "./chunk-5HLJ4IAE.js";
import "./chunk-4URGEBAN.js";
import "./chunk-5H4D5IBU.js";
import "./chunk-2YECXFWZ.js";
import "./chunk-76733H5L.js";
import "./chunk-PLXNQLJS.js";
import "./chunk-QTVOKIVA.js";
import "./chunk-FLYOD2TJ.js";
import "./chunk-FMNGHHUN.js";
import {
  describeFailure
} from "./chunk-J4ZBDK6U.js";
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/commands/edit.ts
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
var intro = "# Lines that begin with # are ignored. An empty file, or one without changes, writes nothing.\n";
async function run(context, args) {
  const { kinds, names } = readTargets(args);
  const [kind] = kinds;
  const [name] = names;
  if (!kind || kinds.length !== 1 || !name || names.length !== 1)
    throw new McpgError("invalid", "usage", "One object is edited at a time.", { hint: "mcpg-ctl edit server/everything" });
  if (kind.virtual)
    throw new McpgError("unsupported", "not_editable", `${kind.kind} objects are reported, not edited.`, {
      hint: `mcpg-ctl describe ${kind.kind.toLowerCase()}/${name}`
    });
  const api = await context.api();
  const folder = await mkdtemp(join(tmpdir(), "mcpg-edit-"));
  const file = join(folder, `${name}.yaml`);
  try {
    let live = await getObject(api, kind, name);
    let text = groupedYaml([live]);
    let complaint = "";
    for (; ; ) {
      await writeFile(file, complaint + intro + text, { mode: 384 });
      await openEditor(context, file);
      const edited = withoutComments(await readFile(file, "utf8"));
      if (edited.trim() === "" || edited === text || edited === groupedYaml([live])) {
        if (complaint && edited.trim() !== "") await keep(file, context);
        return context.say("nothing was changed");
      }
      text = edited;
      try {
        const { body } = await api.call("PUT", objectPath(context.settings, kind.plural, name), {
          body: bodyOf(edited, live),
          headers: { "if-match": etagOf(live) }
        });
        void body;
        return context.print(`${kind.kind.toLowerCase()}/${name} edited`);
      } catch (error) {
        if (!(error instanceof McpgError) || error.code !== "invalid" && error.status !== 412) throw error;
        if (error.status === 412) live = await getObject(api, kind, name);
        complaint = commented(
          await describeFailure(error, { json: false, debug: false }) + (error.status === 412 ? `it is now:
${groupedYaml([live])}` : "")
        );
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
function bodyOf(text, live) {
  const { objects, problems } = parseManifest(text, "edit", () => void 0);
  if (problems.length > 0) throw manifestError(problems);
  const [object] = objects;
  if (objects.length !== 1 || !object || object.kind !== live.kind || object.metadata.name !== live.metadata.name)
    throw new McpgError(
      "invalid",
      "another_object",
      `The file must hold ${live.kind.toLowerCase()}/${live.metadata.name} and nothing else; kind and name cannot be edited.`
    );
  const { name, labels, annotations } = object.metadata;
  return {
    kind: object.kind,
    metadata: { name, ...labels ? { labels } : {}, ...annotations ? { annotations } : {} },
    spec: object.spec
  };
}
var etagOf = ({ metadata }) => `"${metadata.resourceVersion}"`;
async function openEditor({ env }, file) {
  const editor = env.env["VISUAL"] || env.env["EDITOR"] || "vi";
  const child = spawn("sh", ["-c", `${editor} "$@"`, editor, file], { stdio: "inherit", env: env.env });
  const [code] = await once(child, "exit");
  if (code !== 0)
    throw new McpgError("internal", "editor_failed", `The editor ${editor} ended with ${code}; nothing was written.`, {
      hint: "choose another with EDITOR"
    });
}
async function keep(file, { say }) {
  const path = join(tmpdir(), `mcpg-rejected-${process.pid}.yaml`);
  await writeFile(path, await readFile(file), { mode: 384 });
  say(`what was refused is kept in ${path}`);
}
var withoutComments = (text) => text.replace(/^#.*\n?/gm, "");
var commented = (text) => `${text.trimEnd().replace(/^/gm, "# ")}
`;
export {
  run
};
