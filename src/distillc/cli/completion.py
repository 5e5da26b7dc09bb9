"""`distillc completion SHELL`: a script that completes commands, options and their values. The shell then asks nobody at a key press.

The script is made of the parsers of the commands, so it is to be made again after an update.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module

from distillc.cli.main import COMMANDS, command_parser

SHELLS = ("bash", "zsh", "fish")


@dataclass(frozen=True, slots=True)
class Option:
    """`words`: the values that it takes; None for one that takes none, empty where they are not known (a file, a number)."""

    flags: tuple[str, ...]
    words: tuple[str, ...] | None
    help: str


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    summary: str
    options: tuple[Option, ...]
    words: tuple[str, ...]
    """What it takes by name beside its options; files are always offered."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=SHELLS, help="eval the output in the shell's start-up file")


def run(args: argparse.Namespace) -> int:
    sys.stdout.write(SCRIPTS[args.shell]([command(name) for name in COMMANDS]))
    return 0


def command(name: str) -> Command:
    module, summary = COMMANDS[name]
    parser = command_parser(name)
    import_module(module).add_arguments(parser)
    options = []
    words: tuple[str, ...] = ()
    for action in parser._actions:
        choices = tuple(map(str, action.choices or ()))
        if action.option_strings:
            options.append(Option(tuple(action.option_strings), None if action.nargs == 0 else choices, action.help or ""))
        else:
            words += choices
    if name == "explain":
        from distillc.spec.codes import ALL_CODES

        words = (*ALL_CODES, *(known.name for known in ALL_CODES.values()))
    return Command(name, summary, tuple(options), words)


def bash(commands: Sequence[Command]) -> str:
    return "\n".join(_bash(commands)) + "\n"


def _bash(commands: Sequence[Command]) -> Iterator[str]:
    yield '# eval "$(distillc completion bash)"'
    yield "_distillc() {"
    yield '  local current="${COMP_WORDS[COMP_CWORD]}" before="${COMP_WORDS[COMP_CWORD-1]}" words=""'
    yield "  COMPREPLY=()"
    yield '  if [ "$COMP_CWORD" -eq 1 ]; then'
    yield f'    words="{" ".join(one.name for one in commands)}"'
    yield "  else"
    yield '    case "${COMP_WORDS[1]} $before" in'
    for one in commands:
        for option in one.options:
            if option.words is not None:
                patterns = "|".join(f'"{one.name} {flag}"' for flag in option.flags)
                yield f'      {patterns}) words="{" ".join(option.words)}" ;;'
    yield '      *) case "${COMP_WORDS[1]} $current" in'
    for one in commands:
        yield f'        "{one.name} -"*) words="{" ".join(flag for option in one.options for flag in option.flags)}" ;;'
        if one.words:
            yield f'        "{one.name} "*) words="{" ".join(one.words)}" ;;'
    yield "      esac ;;"
    yield "    esac"
    yield "  fi"
    yield '  while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -W "$words" -- "$current")'
    yield "}"
    yield "complete -o default -F _distillc distillc"


def zsh(commands: Sequence[Command]) -> str:
    return "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n" + bash(commands)


def fish(commands: Sequence[Command]) -> str:
    return "\n".join(_fish(commands)) + "\n"


def _fish(commands: Sequence[Command]) -> Iterator[str]:
    yield "# distillc completion fish | source"
    for one in commands:
        yield f"complete -c distillc -n __fish_use_subcommand -f -a {one.name} -d {_quoted(one.summary)}"
        inside = f"complete -c distillc -n '__fish_seen_subcommand_from {one.name}'"
        if one.words:
            yield f"{inside} -a {_quoted(' '.join(one.words))}"
        for option in one.options:
            flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
            values = "" if option.words is None else f" -x -a {_quoted(' '.join(option.words))}" if option.words else " -r"
            yield f"{inside} {flags}{values} -d {_quoted(option.help)}"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


SCRIPTS = {"bash": bash, "zsh": zsh, "fish": fish}
