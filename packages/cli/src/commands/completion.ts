// `lap completion SHELL`: a small script for the shell that asks `lap _complete` for words. What can be completed comes from the tables
// that parse the command line, so that the two never differ.
import { LapError } from "@lapstrake/base";
import type { Command } from "../args/types.ts";
import { out } from "../output/print.ts";

// Bash breaks words at colons, which names of images have: the line is cut at blanks instead, and what stands before the last colon
// is taken off the answers, because bash has it on the line already.
const BASH = `# bash completion for lap: put it into /etc/bash_completion.d/lap, or: source <(lap completion bash)
# for an alias: complete -F _lap docker
_lap() {
  local line=\${COMP_LINE:0:COMP_POINT} words cur before
  read -ra words <<<"$line"
  [[ $line == *[[:blank:]] ]] && words+=("")
  cur=\${words[\${#words[@]}-1]}
  before=\${cur%"\${cur##*[:=]}"}
  local IFS=$'\\n'
  COMPREPLY=($(lap _complete bash -- "\${words[@]:1}" 2>/dev/null))
  COMPREPLY=("\${COMPREPLY[@]#"$before"}")
  if [[ \${#COMPREPLY[@]} -eq 0 ]]; then
    compopt -o filenames
    COMPREPLY=($(compgen -f -- "\${cur#"$before"}"))
  fi
}
complete -F _lap lap
`;

const ZSH = `#compdef lap
# zsh completion for lap: put it into a folder of $fpath as _lap, or: source <(lap completion zsh)
_lap() {
  local -a found
  found=("\${(@f)$(lap _complete zsh -- "\${words[@]:1:$((CURRENT-2))}" "\${words[CURRENT]}" 2>/dev/null)}")
  if [[ -n "$found" ]]; then
    _describe 'lap' found
  else
    _files
  fi
}
if [[ $funcstack[1] == _lap ]]; then _lap "$@"; else compdef _lap lap; fi
`;

const FISH = `# fish completion for lap: put it into ~/.config/fish/completions/lap.fish, or: lap completion fish | source
function __lap_complete
    set -l words (commandline -opc)
    set -l found (lap _complete fish -- $words[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c lap -f -a '(__lap_complete)'
`;

const SCRIPTS: Readonly<Record<string, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

export const completionCommand: Command = {
  name: "completion",
  usage: "bash|zsh|fish",
  summary: "Print the completion script of a shell",
  minArgs: 1,
  maxArgs: 1,
  interspersed: true,
  errorExitCode: 1,
  flags: [],
  run({ args: [shell = ""] }) {
    const script = SCRIPTS[shell];
    if (script === undefined) {
      throw new LapError(
        "invalidArgument",
        "ERR_LAP_FLAG_VALUE",
        `no completion for "${shell}": bash, zsh and fish have one`,
      );
    }
    out(script);
    return Promise.resolve(0);
  },
};
