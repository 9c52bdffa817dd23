/**
 * Every shell asks `mcpg-ctl __complete -- <words>`, the last word being the one under the cursor up to it; the answer is one candidate a
 * line. A candidate that ends with / or = goes on, so no blank follows.
 */
export const scripts = {
  // Bash takes words apart at = : and @ and replaces the last part only.
  bash: `
# source <(mcpg-ctl completion bash)
_mcpg_ctl() {
  local line=\${COMP_LINE:0:COMP_POINT} part=\${COMP_WORDS[COMP_CWORD]} skip= words word one
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  word=\${words[\${#words[@]}-1]}
  [[ $part == [=:@] ]] && part=
  [[ $word == *"$part" ]] && skip=\${word%"$part"}
  COMPREPLY=()
  while IFS= read -r one; do COMPREPLY+=("\${one#"$skip"}"); done < <(mcpg-ctl __complete -- "\${words[@]:1}" 2>/dev/null)
  if [[ \${#COMPREPLY[@]} == 1 && \${COMPREPLY[0]} == *[/=] ]] && type compopt > /dev/null 2>&1; then compopt -o nospace; fi
}
complete -o default -F _mcpg_ctl mcpg-ctl
`,
  zsh: `
#compdef mcpg-ctl
# source <(mcpg-ctl completion zsh)
_mcpg_ctl() {
  local -a candidates open
  candidates=("\${(@f)$(mcpg-ctl __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  open=(\${(M)candidates:#*[/=]})
  candidates=(\${candidates:#*[/=]})
  (( \${#open} )) && compadd -S '' -a open
  (( \${#candidates} )) && compadd -a candidates
  (( \${#open} + \${#candidates} )) || _files
}
compdef _mcpg_ctl mcpg-ctl
`,
  fish: `
# mcpg-ctl completion fish | source
function __mcpg_ctl
  set -l words (commandline -opc)
  set -l current (commandline -ct)
  set -l found (mcpg-ctl __complete -- $words[2..-1] "$current" 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path "$current"
  end
end
complete -c mcpg-ctl -f -a '(__mcpg_ctl)'
`,
  powershell: `
# mcpg-ctl completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName mcpg-ctl -ScriptBlock {
  param($word, $ast, $position)
  $words = @($ast.CommandElements | Select-Object -Skip 1 | Where-Object { $_.Extent.StartOffset -lt $position } | ForEach-Object { $_.ToString() })
  if ($word -eq '') { $words += '""' }
  mcpg-ctl __complete -- @words 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_) }
}
`,
} as const
