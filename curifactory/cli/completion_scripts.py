"""The scripts that make bash, zsh and fish ask a program for completions, and where they are installed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

# Each asks with `_PROGRAM_COMPLETE` in the environment and reads `kind,value` back. A value of kind `part` is followed by no
# blank, since more of it is to come. bash 3.2, which macOS has, lacks `compopt` and `nosort`.
_BASH = r"""
_%(function)s_completion() {
    local kind value begun
    COMPREPLY=()
    while IFS=, read -r kind value; do
        case "$kind" in
            file) COMPREPLY+=( $(compgen -f -- "$value") ); type compopt >/dev/null 2>&1 && compopt -o filenames ;;
            dir) COMPREPLY+=( $(compgen -d -- "$value") ); type compopt >/dev/null 2>&1 && compopt -o filenames ;;
            part) COMPREPLY+=( "$value" ); type compopt >/dev/null 2>&1 && compopt -o nospace ;;
            plain) case "$value" in *[!A-Za-z0-9_./:=+,-]*) printf -v value %%q "$value" ;; esac; COMPREPLY+=( "$value" ) ;;
        esac
    done < <(COMP_LINE="${COMP_LINE:0:$COMP_POINT}" COMP_WORDBREAKS="$COMP_WORDBREAKS" _%(variable)s_COMPLETE=bash_complete "$1" 2>/dev/null)
}
complete -o nosort -F _%(function)s_completion %(program)s 2>/dev/null || complete -F _%(function)s_completion %(program)s
"""

_ZSH = r"""
#compdef %(program)s
_%(function)s_completion() {
    local -a answers described parts
    local kind value help
    (( ! $+commands[%(program)s] )) && return 1
    answers=("${(@f)$(COMP_WORDS="${(pj:\n:)${(@q)words[1,CURRENT-1]}}"$'\n'"${words[CURRENT]}" COMP_CWORD=$((CURRENT-1)) _%(variable)s_COMPLETE=zsh_complete %(program)s 2>/dev/null)}")
    for kind value help in "${answers[@]}"; do
        case "$kind" in
            file) _path_files -f ;;
            dir) _path_files -/ ;;
            part) parts+=("$value") ;;
            plain)
                if [[ "$help" == "_" ]]; then described+=("${value//:/\\:}"); else described+=("${value//:/\\:}:$help"); fi ;;
        esac
    done
    (( $#described )) && _describe -V 'values' described
    (( $#parts )) && compadd -S '' -V parts -a parts
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _%(function)s_completion "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _%(function)s_completion %(program)s
fi
"""

_FISH = r"""
function _%(function)s_completion
    set -l answers (COMP_LINE=(commandline -cp | string collect) _%(variable)s_COMPLETE=fish_complete %(program)s 2>/dev/null)
    for answer in $answers
        set -l parts (string split -m 1 "," -- $answer)
        switch $parts[1]
            case dir
                __fish_complete_directories (commandline -ct)
            case file
                __fish_complete_path (commandline -ct)
            case '*'
                echo $parts[2]
        end
    end
end
complete --no-files --command %(program)s --arguments "(_%(function)s_completion)"
"""

_SCRIPTS: Mapping[str, str] = MappingProxyType({"bash": _BASH, "zsh": _ZSH, "fish": _FISH})
_MARK = "# curifactory: TAB completes the words of experiment and curifactory"


def render_script(shell: str, program: str) -> str:
    """Return the script that a shell has to read for one program.

    Parameters
    ----------
    shell : str
        ``bash``, ``zsh`` or ``fish``.
    program : str
        ``experiment`` or ``curifactory``.

    Examples
    --------
    >>> "complete" in render_script("bash", "experiment")
    True
    """
    words = {"program": program, "function": program.replace("-", "_"), "variable": program.upper()}
    return (_SCRIPTS[shell] % words).strip("\n")


def install_scripts(shell: str, programs: tuple[str, ...], environment: Mapping[str, str]) -> list[Path]:
    """Put the scripts where a shell reads them and return the files that were written; nothing is written twice.

    Parameters
    ----------
    shell : str
        ``bash``, ``zsh`` or ``fish``.
    programs : tuple of str
        The programs.
    environment : mapping of str to str
        Says where the person's home and configuration lie.

    Raises
    ------
    OSError
        If a file cannot be written.
    """
    home = Path(environment.get("HOME") or Path.home())
    settings = Path(environment.get("XDG_CONFIG_HOME") or home / ".config")
    if shell == "fish":
        files = {
            settings / "fish" / "completions" / f"{name}.fish": render_script(shell, name)
            for name in programs
        }
        return [file for file, text in files.items() if _write(file, f"{text}\n")]
    script = settings / "curifactory" / f"completion.{shell}"
    whole = "\n\n".join(render_script(shell, name) for name in programs)
    written = [script] if _write(script, f"{whole}\n") else []
    start = Path(environment.get("ZDOTDIR") or home) / ".zshrc" if shell == "zsh" else home / ".bashrc"
    known = start.read_text(encoding="utf-8", errors="surrogateescape") if start.exists() else ""
    if _MARK not in known:
        gap = "" if not known else "\n" if known.endswith("\n") else "\n\n"
        with open(start, "a", encoding="utf-8") as file:
            file.write(f'{gap}{_MARK}\n[ -f "{script}" ] && . "{script}"\n')
        written.append(start)
    return written


def find_shell(environment: Mapping[str, str]) -> str | None:
    """Return the name of the person's shell if it is one that can be served.

    Examples
    --------
    >>> find_shell({"SHELL": "/usr/bin/zsh"}), find_shell({"SHELL": "/bin/tcsh"})
    ('zsh', None)
    """
    name = os.path.basename(environment.get("SHELL", ""))
    return name if name in _SCRIPTS else None


def _write(file: Path, text: str) -> bool:
    if file.is_file() and file.read_text(encoding="utf-8") == text:
        return False
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return True
