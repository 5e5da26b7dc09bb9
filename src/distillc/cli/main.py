"""The entry point `distillc`: finds the command, imports its module alone, and turns errors into one clear message and an exit code.

A command is a module here with `add_arguments(parser)` and `run(args) -> int`. Exit codes: design, section 8.
"""

import io
import os
import sys

from distillc import __version__

TYPE_CHECKING = False  # as in typing, which alone costs as much as a bare interpreter
if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from typing import NoReturn, TextIO

    from distillc.spec.errors import DistillError

COMMANDS: "Mapping[str, tuple[str, str]]" = {
    "lint": ("distillc.cli.lint", "check specs: unknown keys, wrong types, undefined names"),
    "plan": ("distillc.cli.plan", "show what a spec would run, and what it costs"),
    "probe": ("distillc.cli.probe", "rank models by quality and price on a few validation rows, before any is a teacher"),
    "run": ("distillc.cli.run", "run a spec or a saved plan"),
    "why": ("distillc.cli.why", "say why a step would run again"),
    "report": ("distillc.cli.report", "print the table of a run"),
    "cost": ("distillc.cli.cost", "add up what a run has cost, by stage or by model"),
    "status": ("distillc.cli.status", "say where a run stands"),
    "cancel": ("distillc.cli.cancel", "stop a run, and what it has going on other machines"),
    "verify": ("distillc.cli.verify", "check a bundle or the store, digest by digest"),
    "gc": ("distillc.cli.gc", "free what no run needs"),
    "plugins": ("distillc.cli.plugins", "list what is installed"),
    "migrate": ("distillc.cli.migrate", "rewrite specs for the version of the language that is read here"),
    "set": ("distillc.cli.set", "set values in a spec, comments and formatting untouched"),
    "schema": ("distillc.cli.schema", "print the JSON Schema of the language"),
    "explain": ("distillc.cli.explain", "explain the code of a finding"),
    "completion": ("distillc.cli.completion", "print a script that completes commands and options in a shell"),
}
INTERRUPTED = 130
FINDINGS = frozenset({"concise", "json", "sarif", "github", "gitlab"})
"""Forms of findings that programs read: in them, errors too."""


def main(argv: "Sequence[str] | None" = None) -> int:
    arguments = list(sys.argv[1:] if argv is None else argv)
    sys.stdout = sys.stdout or open(os.devnull, "w")  # noqa: SIM115, PTH123 - closed (`>&-`): else the next file would be taken for it
    sys.stderr = sys.stderr or open(os.devnull, "w")  # noqa: SIM115, PTH123
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a file's name may be no text, a terminal may know no `…`
    debug = "--debug" in arguments or bool(os.environ.get("DISTILLC_DEBUG"))
    arguments = [argument for argument in arguments if argument != "--debug"]
    try:
        return _dispatch(arguments, debug)
    except BrokenPipeError:
        silence(sys.stdout)
        return 0
    except KeyboardInterrupt:
        if debug:
            raise
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        if debug:
            raise
        return _report(error, arguments[:1], asked_format(arguments))


def _dispatch(arguments: list[str], debug: bool) -> int:
    if arguments[:1] == ["help"] and len(arguments) == 2:
        arguments = [arguments[1], "--help"]
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(_help())
        return 0 if arguments else 2
    if arguments[0] in ("-V", "--version"):
        print(f"distillc {__version__}")
        return 0
    from distillc.spec.errors import UsageError

    name = arguments[0]
    if name not in COMMANDS:
        from distillc.spec.wording import did_you_mean

        raise UsageError(f"there is no command `{name}`", help=did_you_mean(name, COMMANDS, "commands"))
    from importlib import import_module

    module = import_module(COMMANDS[name][0])
    parser = command_parser(name)
    module.add_arguments(parser)
    parser.set_defaults(debug=debug)
    # Options may stand between names (`probe distill.yaml --limit 9 big`); argparse cannot have both that and `--`.
    parse = parser.parse_args if "--" in arguments else parser.parse_intermixed_args
    code: int = module.run(parse(arguments[1:]))
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # what the command found does not hang on who reads it
        silence(sys.stdout)
    return code


def silence(stream: "TextIO") -> None:
    """The reader has gone (`| head`): what Python would flush at exit must not fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def command_parser(name: str) -> "argparse.ArgumentParser":
    import argparse

    from distillc.spec.errors import UsageError

    class Parser(argparse.ArgumentParser):
        def error(self, message: str) -> "NoReturn":
            """Raised rather than printed, so that bad usage too comes in the form that was asked for."""
            raise UsageError(message, help=self.nearest(message) or self.format_usage().strip())

        def nearest(self, message: str) -> str | None:
            """The option that was meant by the first one that there is not."""
            from distillc.spec.wording import closest

            _, found, unknown = message.partition("unrecognized arguments: --")
            word = unknown.split()[0].partition("=")[0] if found else ""
            options = [option[2:] for action in self._actions for option in action.option_strings if option.startswith("--")]
            near = closest(word, options) or next((option for option in options if option in word.split("-")), None)
            return f"did you mean `--{near}`?" if near else None

    def formatter(prog: str) -> argparse.HelpFormatter:
        return argparse.HelpFormatter(prog, width=_width())

    return Parser(
        prog=f"distillc {name}",
        description=COMMANDS[name][1],
        epilog="--debug shows tracebacks",
        allow_abbrev=False,
        formatter_class=formatter,
    )


def _width() -> int:
    """What argparse would find out with shutil, which brings the compression libraries along."""
    try:
        columns = int(os.environ.get("COLUMNS") or 0) or os.get_terminal_size(1).columns
    except (OSError, ValueError):
        columns = 0
    return (columns or 80) - 2


def _help() -> str:
    width = max(map(len, COMMANDS))
    commands = "\n".join(f"  {name.ljust(width)}  {summary}" for name, (_, summary) in COMMANDS.items())
    return f"""usage: distillc COMMAND [OPTIONS]

A compiler for model distillation: one distill.yaml in, a small, fast and proven student out.

commands:
{commands}

`distillc COMMAND --help` says more. --version prints the version, --debug shows tracebacks."""


def asked_format(arguments: "Sequence[str]") -> str | None:
    """What `--format` says, the last one; read from the bare arguments, for errors may come before they are parsed."""
    asked = None
    for number, argument in enumerate(arguments):
        if argument == "--":
            break
        if argument == "--format":
            asked = arguments[number + 1] if number + 1 < len(arguments) else None
        elif argument.startswith("--format="):
            asked = argument.removeprefix("--format=")
    return asked


def _report(error: Exception, command: "Sequence[str]", form: str | None) -> int:
    """One message on stderr; in a form for programs, on stdout. What is no DistillError is a defect of ours and says so.

    In the forms of findings an error is a finding without a place. `json` is such a form for `lint` alone: other commands answer with
    an object of their own, and so does an error.
    """
    from distillc.spec.errors import DistillError, InvalidSpec, StageFailed

    if isinstance(error, InvalidSpec):
        return _findings(error, form)
    if not isinstance(error, DistillError):
        # A full disk, a file without permission: the world's errors have a clear message of their own.
        if isinstance(error, OSError) and error.strerror:
            what = f"{error.strerror}: {error.filename}" if error.filename else error.strerror
            error = StageFailed(what, help="free the place or fix the permissions, then run the command again")
        else:
            message = f"{type(error).__name__}: {error}"
            error = DistillError(message, help="this is a defect of distillc; --debug shows where it happened")
    if form in FINDINGS and (form != "json" or list(command) == ["lint"]):
        from distillc.spec.diagnostic import Diagnostic, Severity
        from distillc.spec.render import render

        message = f"{error.where}: {error.message}" if error.where else error.message
        help = " ".join(error.help.split()) if error.help else None
        sys.stdout.write(render(form, [Diagnostic("D900", Severity.ERROR, message, help=help)], {}))
    elif form == "json":
        import json

        body = {"message": error.message, "where": error.where, "help": error.help, "exit_code": error.exit_code}
        print(json.dumps({"error": body}, indent=1, ensure_ascii=False))
    else:
        from distillc.spec.render.paint import paint, safe

        color = use_color(sys.stderr.isatty())
        where = f"{error.where}: " if error.where else ""
        print(f"{paint('error', '1;31', color)}: {safe(where)}{_kept_lines(error.message)}", file=sys.stderr)
        if error.help:
            print(f"  {paint('help', '1', color)}: {_kept_lines(error.help)}", file=sys.stderr)
    return error.exit_code


def _kept_lines(text: str) -> str:
    from distillc.spec.render.paint import safe

    return "\n".join(safe(line) for line in text.split("\n"))


def _findings(error: "DistillError", form: str | None) -> int:
    from pathlib import Path

    from distillc.spec.errors import InvalidSpec
    from distillc.spec.render import render
    from distillc.spec.source import Source, decode, read_file

    assert isinstance(error, InvalidSpec)
    sources = error.sources  # a pipe cannot be read twice, and a file may have changed since
    for file in {diagnostic.span.file for diagnostic in error.diagnostics if diagnostic.span} - sources.keys():
        try:
            sources[file] = Source(file, decode(read_file(Path(file)), file)[0])
        except OSError:
            continue  # a place on the command line, or text that was never in a file
    known = form if form in FINDINGS else None
    stream = sys.stdout if known else sys.stderr
    stream.write(render(known or "full", error.diagnostics, sources, color=use_color(stream.isatty())))
    return error.exit_code


def use_color(terminal: bool) -> bool:
    """Colours on a terminal alone, and not where NO_COLOR is set (no-color.org)."""
    return terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


if __name__ == "__main__":
    sys.exit(main())
