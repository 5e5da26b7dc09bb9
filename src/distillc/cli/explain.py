"""`distillc explain CODE`: what a finding means, why it is bad, and what right looks like. Without a code, the list of all."""

import argparse
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from distillc.cli.main import use_color
from distillc.spec.codes import ALL_CODES
from distillc.spec.errors import UsageError
from distillc.spec.explanation import Explanation, as_markdown, explanation, parts
from distillc.spec.render.paint import paint
from distillc.spec.wording import closest

MAX_WIDTH = 100


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "codes",
        nargs="*",
        metavar="CODE",
        help="a code such as D201, its name such as undefined-name, or the beginning of codes such as D4 (default: a line for each)",
    )
    parser.add_argument("--all", action="store_true", help="explain them all")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="how it is printed (default: text)")


def run(args: argparse.Namespace) -> int:
    all_of_them = args.all or not args.codes
    wanted = sorted(ALL_CODES) if all_of_them else list(dict.fromkeys(code for word in args.codes for code in _meant(word)))
    told = [explanation(code, ALL_CODES[code]) for code in wanted]
    if args.format == "json":
        found = [asdict(one) for one in told]
        text = json.dumps(found[0] if len(found) == 1 else found, indent=1, ensure_ascii=False) + "\n"
    elif args.format == "markdown":
        text = "\n".join(f"# {one.code} {one.name}\n\n{one.summary}\n\n{as_markdown(one)}\n" for one in told)
    elif args.all or len(told) <= len(args.codes):
        text = "\n\n".join("\n\n".join(_page(one)) + "\n" for one in told)
    else:
        text = _list(told)
    sys.stdout.write(text)
    return 0


def _meant(word: str) -> list[str]:
    """The code of that name, or the codes that begin with it. Raises UsageError with the nearest."""
    by_name = {known.name: code for code, known in ALL_CODES.items()}
    name = word.lower().replace("_", "-")
    found = [by_name[name]] if name in by_name else [code for code in sorted(ALL_CODES) if code.startswith(word.upper())]
    if not found:
        near = closest(name, by_name) or closest(word.upper(), ALL_CODES)
        raise UsageError(f"there is no finding `{word}`", help=f"did you mean `{near}`?" if near else "`distillc explain` lists them all")
    return found


def _list(told: Sequence[Explanation]) -> str:
    width = max(len(one.name) for one in told)
    return "".join(f"{one.code}  {one.name.ljust(width)}  {one.summary}\n" for one in told)


def _page(told: Explanation) -> Iterator[str]:
    color = use_color(sys.stdout.isatty())
    width = min(MAX_WIDTH, shutil.get_terminal_size().columns)
    yield paint(f"{told.code} {told.name}", "1", color)
    yield _filled(told.summary, width)
    for label, text, is_yaml in parts(told):
        block = text if is_yaml else _filled(text, width - 4)
        yield f"{paint(label, '1', color)}\n{textwrap.indent(block, '    ')}"


def _filled(text: str, width: int) -> str:
    wrapped = (textwrap.fill(paragraph, width, break_long_words=False, break_on_hyphens=False) for paragraph in text.split("\n\n"))
    return "\n\n".join(wrapped)
