import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// ctl/src/output/table.ts
import { stripVTControlCharacters } from "node:util";
function table(header, rows) {
  const all = [header.map((name) => name.toUpperCase()), ...rows.map((row) => row.map(oneLine))];
  const widths = header.map((_, column) => Math.max(...all.map((row) => widthOf(row[column] ?? ""))));
  return all.map(
    (row) => row.map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell))).join("  ").trimEnd()
  );
}
function growingTable() {
  const widths = ["MODIFIED".length];
  return { measure, line };
  function measure(cells) {
    const clean = cells.map(oneLine);
    clean.forEach((cell, column) => widths[column] = Math.max(widths[column] ?? 0, widthOf(cell)));
    return clean;
  }
  function line(cells) {
    return measure(cells).map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell))).join("  ").trimEnd();
  }
}
function pairs(entries, indent = "") {
  const width = Math.max(0, ...entries.map(([key]) => key.length + 1));
  return entries.map(([key, value]) => `${indent}${`${key}:`.padEnd(width)}  ${value}`.trimEnd());
}
var oneLine = (text) => stripVTControlCharacters(text).replace(/[\p{Cc}\s]+/gu, " ").trim();
var harmless = (text) => stripVTControlCharacters(text).replace(/[^\P{Cc}\n\t]/gu, "");
var widthOf = (text) => Array.from(text).length;

export {
  table,
  growingTable,
  pairs,
  oneLine,
  harmless
};
