import type { Shell } from './shells.js'

/**
 * What each shell needs to ask us. They are short, and know no word of ours: what there is to complete is found when a
 * key asks for it, by the version of sshjob that is there then. Nothing is said where nothing is found.
 */
export const SCRIPTS: Readonly<Record<Shell, string>> = {
  bash: `
# Completion for sshjob, sshjob-server and sshjob-keygen, by 'sshjob completion bash'.
_sshjob() {
  local program=\${1%-server}
  program=\${program%-keygen}
  local -a found
  mapfile -t found < <("\${program/#\\~/$HOME}" completion --bash "\${COMP_LINE:0:COMP_POINT}" "$2" </dev/null 2>/dev/null)
  COMPREPLY=("\${found[@]:1}")
  case \${found[0]} in
    unfinished) compopt -o nospace ;;
    several) compopt -o filenames ;;
    files) compopt -o default ;;
    directories) compopt -o dirnames ;;
    programs) mapfile -t COMPREPLY < <(compgen -c -- "$2") ;;
  esac
}
complete -F _sshjob sshjob sshjob-server sshjob-keygen
`,
  zsh: `
# Completion for sshjob, sshjob-server and sshjob-keygen, by 'sshjob completion zsh'.
_sshjob() {
  local program=\${\${words[1]%-server}%-keygen} line
  local -a found ended ended_shown unfinished unfinished_shown
  found=("\${(@f)$("\${program/#\\~/$HOME}" completion --zsh "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" </dev/null 2>/dev/null)}")
  case $found[1] in
    files) compset -P '--*='; _files; return ;;
    directories) compset -P '--*='; _files -/; return ;;
    programs) _command_names -e; return ;;
  esac
  for line in "\${(@)found[2,-1]}"; do
    if [[ \${line%%$'\\t'*} == *[/:=] ]]; then
      unfinished+=("\${line%%$'\\t'*}")
      unfinished_shown+=("\${line/$'\\t'/  -- }")
    else
      ended+=("\${line%%$'\\t'*}")
      ended_shown+=("\${line/$'\\t'/  -- }")
    fi
  done
  compadd -l -d ended_shown -a ended
  compadd -S '' -l -d unfinished_shown -a unfinished
}
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -i; }
compdef _sshjob sshjob sshjob-server sshjob-keygen
`,
  fish: `
# Completion for sshjob, sshjob-server and sshjob-keygen, by 'sshjob completion fish'.
function __sshjob_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct)
    set -l plain (string unescape -- $word; or string trim -l -c '"\\'' -- $word)
    set -l program (string replace -r -- '-(server|keygen)$' '' $words[1])
    set -l found ($program completion --fish $words "$plain" </dev/null 2>/dev/null)
    switch "$found[1]"
        case files
            set -l option (string match -r -- '^--[^=]*=' $word)
            printf "$option%s\\n" (__fish_complete_path (string replace -- "$option" '' $word))
        case directories
            set -l option (string match -r -- '^--[^=]*=' $word)
            printf "$option%s\\n" (__fish_complete_directories (string replace -- "$option" '' $word))
        case programs
            complete -C $word
        case '*'
            string join \\n -- $found[2..-1]
    end
end
complete -c sshjob -f -k -a '(__sshjob_complete)'
complete -c sshjob-server -f -k -a '(__sshjob_complete)'
complete -c sshjob-keygen -f -k -a '(__sshjob_complete)'
`,
}
