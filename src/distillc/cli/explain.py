"""`distillc explain CODE`: what a finding means, why it is bad, and what right looks like. Without a code, the list of all."""

import argparse
import json
import sys
from importlib import import_module
from inspect import cleandoc

from distillc.compiler.codes import CODES as COMPILER_CODES
from distillc.spec.codes import CODES as LANGUAGE_CODES
from distillc.spec.codes import Code
from distillc.spec.errors import UsageError
from distillc.spec.wording import closest

CODES = dict(sorted({**LANGUAGE_CODES, **COMPILER_CODES}.items()))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", nargs="?", metavar="CODE", help="a code such as D201, or its name such as undefined-name")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how it is printed")


def run(args: argparse.Namespace) -> int:
    if args.code is None:
        if args.format == "json":
            sys.stdout.write(json.dumps([{"code": code, "name": known.name} for code, known in CODES.items()], indent=1) + "\n")
        else:
            sys.stdout.writelines(f"{code}  {known.name}\n" for code, known in CODES.items())
        return 0
    by_name = {known.name: code for code, known in CODES.items()}
    code: str = by_name.get(args.code) or args.code.upper()
    if code not in CODES:
        near = closest(args.code, by_name)
        help = f"did you mean `{near}`?" if near else "`distillc explain` lists them all"
        raise UsageError(f"there is no finding `{args.code}`", help=help)
    known = CODES[code]
    if args.format == "json":
        sys.stdout.write(json.dumps({"code": code, "name": known.name, "text": explanation(known)}, indent=1, ensure_ascii=False) + "\n")
    else:
        print(f"{code} ({known.name})\n\n{explanation(known)}")
    return 0


def explanation(known: Code) -> str:
    """The text of a code: its own, or the docstring of the rule that finds it."""
    return known.text if known.module is None else cleandoc(import_module(known.module).__doc__ or "")
