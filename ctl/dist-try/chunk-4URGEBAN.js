import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);

// ctl/src/manifest/expand.ts
var reference = /\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(?:(:[-+])((?:[^{}$]|\$(?!\{))*))?\}|\$\{/g;
function expand(text, variable, problem) {
  return text.replace(reference, (whole, name, operator, word) => {
    if (whole === "$${") return "${";
    if (!name) {
      problem("${ begins no ${VAR}, ${VAR:-default} or ${VAR:+replacement}; write $${ for the two characters themselves");
      return whole;
    }
    const value = variable(name);
    if (operator === ":-") return value ? value : word ?? "";
    if (operator === ":+") return value ? word ?? "" : "";
    if (value !== void 0) return value;
    problem(`the variable ${name} is not set; set it, or write \${${name}:-default}`);
    return whole;
  });
}
var escapeReferences = (text) => text.replaceAll("${", () => "$${");

export {
  expand,
  escapeReferences
};
