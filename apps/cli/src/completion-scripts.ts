/** Each asks `xenpt __complete WORD…`, which answers a line for each candidate: the word, a tab, what it is. */
export const completionScripts = {
  // Bash cuts words at colons too, which are in every address: so the line is cut here, and what stands before the
  // last colon is taken away from what it is given.
  bash: `_xenpt() {
  local line=\${COMP_LINE:0:COMP_POINT} IFS=$' \\t\\n' words current prefix
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[-1]}
  IFS=$'\\n'
  COMPREPLY=($(xenpt __complete "\${words[@]:1}" 2>/dev/null | cut -f1))
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    prefix=\${current%"\${current##*:}"}
    COMPREPLY=("\${COMPREPLY[@]#"$prefix"}")
  fi
}
complete -o bashdefault -o default -F _xenpt xenpt
`,
  zsh: `#compdef xenpt
_xenpt() {
  local line
  local -a found
  for line in "\${(@f)$(xenpt __complete "\${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  (( \${#found} )) && _describe xenpt found || _files
}
compdef _xenpt xenpt
`,
  // Left to itself fish offers files beside, also for what follows a colon.
  fish: `function __xenpt_complete
  set -l found (xenpt __complete (commandline -opc)[2..-1] (commandline -ct) 2>/dev/null)
  if test (count $found) -gt 0
    printf '%s\\n' $found
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c xenpt -f -a '(__xenpt_complete)'
`,
} as const;

export type Shell = keyof typeof completionScripts;
