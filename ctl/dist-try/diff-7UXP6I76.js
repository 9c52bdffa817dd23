import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  readManifests
} from "./chunk-HSCJXWYJ.js";
import {
  findObject,
  kindOf
} from "./chunk-766BTVEX.js";
import "./chunk-LER2A23K.js";
import "./chunk-RWRD3TI4.js";
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
import "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/output/unified-diff.ts
var context = 3;
function unifiedDiff(before, after, names) {
  if (before === after) return [];
  const edits = editsBetween(linesOf(before), linesOf(after));
  return [`--- ${names.before}`, `+++ ${names.after}`, ...hunks(edits)];
}
var linesOf = (text) => text === "" ? [] : text.replace(/\n$/, "").split("\n");
function editsBetween(old, next) {
  const width = next.length + 1;
  const common = new Uint32Array((old.length + 1) * width);
  for (let i2 = old.length - 1; i2 >= 0; i2--)
    for (let j2 = next.length - 1; j2 >= 0; j2--)
      common[i2 * width + j2] = old[i2] === next[j2] ? common[(i2 + 1) * width + j2 + 1] + 1 : Math.max(common[(i2 + 1) * width + j2], common[i2 * width + j2 + 1]);
  const edits = [];
  let i = 0;
  let j = 0;
  while (i < old.length || j < next.length) {
    const position = { old: i + 1, new: j + 1 };
    if (i < old.length && j < next.length && old[i] === next[j])
      edits.push({ sign: " ", line: old[i], ...position }, ...advance(true, true));
    else if (i < old.length && (j === next.length || common[(i + 1) * width + j] >= common[i * width + j + 1]))
      edits.push({ sign: "-", line: old[i], ...position }, ...advance(true, false));
    else edits.push({ sign: "+", line: next[j], ...position }, ...advance(false, true));
  }
  return edits;
  function advance(inOld, inNext) {
    if (inOld) i++;
    if (inNext) j++;
    return [];
  }
}
function hunks(edits) {
  const changed = edits.flatMap(({ sign }, index) => sign === " " ? [] : [index]);
  const lines = [];
  for (let at = 0; at < changed.length; ) {
    let last = at;
    while (last + 1 < changed.length && changed[last + 1] - changed[last] <= 2 * context) last++;
    const part = edits.slice(Math.max(0, changed[at] - context), changed[last] + context + 1);
    lines.push(header(part), ...part.map(({ sign, line }) => `${sign}${line}`));
    at = last + 1;
  }
  return lines;
}
function header(part) {
  const olds = part.filter(({ sign }) => sign !== "+").length;
  const news = part.filter(({ sign }) => sign !== "-").length;
  const start = (count, at) => count === 0 ? at - 1 : at;
  return `@@ -${start(olds, part[0].old)},${olds} +${start(news, part[0].new)},${news} @@`;
}

// ctl/src/commands/diff.ts
async function run(context2, _args, options) {
  const objects = await readManifests(context2, options);
  const api = await context2.api();
  let differs = false;
  for (const object of objects) {
    const live = await findObject(api, kindOf(object.kind), object.metadata.name);
    const target = `${object.kind.toLowerCase()}/${object.metadata.name}`;
    const lines = unifiedDiff(live ? groupedYaml([live]) : "", groupedYaml([object]), {
      before: `${target} (stored)`,
      after: `${target} (manifest)`
    });
    differs ||= lines.length > 0;
    lines.forEach((line) => context2.print(line));
  }
  return differs ? 1 : 0;
}
export {
  run
};
