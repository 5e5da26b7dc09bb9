"""`distillc schema`: prints the JSON Schema of the language with the installed plugins, for editors and validators."""

import argparse
import json
import sys

from distillc.plugins.registry import load as load_plugins
from distillc.spec.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "definition", nargs="?", metavar="DEFINITION", help="print one definition alone, as TrainStep or LossStep.forward_kl"
    )
    parser.add_argument("--format", choices=("json",), default="json", help="the only form there is")


def run(args: argparse.Namespace) -> int:
    schema = load_plugins().language_schema()
    if args.definition is not None:
        definitions = schema["$defs"]
        if args.definition not in definitions:
            from distillc.spec.wording import did_you_mean

            raise UsageError(
                f"the schema has no definition `{args.definition}`", help=did_you_mean(args.definition, definitions, "there are")
            )
        schema = definitions[args.definition]
    sys.stdout.write(json.dumps(schema, indent=1, ensure_ascii=False) + "\n")
    return 0
