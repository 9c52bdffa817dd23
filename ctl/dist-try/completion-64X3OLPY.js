import { createRequire as mcpgRequire } from 'node:module'; const require = mcpgRequire(import.meta.url);
import {
  McpgError
} from "./chunk-UEOGRQH6.js";
import "./chunk-7K33ZYCL.js";

// ctl/src/completion/scripts.ts
var scripts = {
  bash: `
# source <(mcpg-ctl completion bash)
_mcpg_ctl() {
  local IFS=$'\\n'
  COMPREPLY=($(mcpg-ctl __complete -- "\${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _mcpg_ctl mcpg-ctl
`,
  zsh: `
#compdef mcpg-ctl
# source <(mcpg-ctl completion zsh)
_mcpg_ctl() {
  local -a candidates
  candidates=("\${(@f)$(mcpg-ctl __complete -- "\${words[@]:1:$((CURRENT - 1))}" 2>/dev/null)}")
  [[ -n "\${candidates[1]}" ]] && compadd -a candidates || _files
}
compdef _mcpg_ctl mcpg-ctl
`,
  fish: `
# mcpg-ctl completion fish | source
function __mcpg_ctl
  set -l words (commandline -opc)
  mcpg-ctl __complete -- $words[2..-1] (commandline -ct) 2>/dev/null
end
complete -c mcpg-ctl -f -a '(__mcpg_ctl)'
`,
  powershell: `
# mcpg-ctl completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName mcpg-ctl -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | ForEach-Object { $_.ToString() })
  if ($word -eq '') { $words += '""' }
  mcpg-ctl __complete -- @words 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
`
};

// ctl/src/commands/completion.ts
async function run({ print }, [shell = ""]) {
  const script = scripts[shell];
  if (!script)
    throw new McpgError("invalid", "usage", `There is no completion for "${shell}".`, {
      hint: `shells: ${Object.keys(scripts).join(", ")}`
    });
  print(script.trim());
}
export {
  run
};
