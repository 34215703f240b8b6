// `lap completion SHELL`: a small script for the shell that asks `lap _complete` for words. What can be completed comes from the tables
// that parse the command line, so that the two never differ.
import { LapError } from "@lapstrake/base";
import type { Command } from "../args/types.ts";
import { out } from "../output/print.ts";

const BASH = `# bash completion for lap: put it into /etc/bash_completion.d/lap, or: source <(lap completion bash)
_lap() {
  local cur=\${COMP_WORDS[COMP_CWORD]}
  local IFS=$'\\n'
  local words=("\${COMP_WORDS[@]:1:COMP_CWORD-1}")
  COMPREPLY=($(compgen -W "$(lap _complete bash -- "\${words[@]}" "$cur" 2>/dev/null)" -- "$cur"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$cur"))
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
compdef _lap lap
`;

const FISH = `# fish completion for lap: put it into ~/.config/fish/completions/lap.fish, or: lap completion fish | source
function __lap_complete
    set -l words (commandline -opc)
    lap _complete fish -- $words[2..-1] (commandline -ct) 2>/dev/null
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
