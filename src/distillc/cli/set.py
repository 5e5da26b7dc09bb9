"""`distillc set PATH=VALUE… [FILE]`: sets values in the text of a spec, comments and formatting untouched.

Prints the new text; `--diff` prints the difference, `--write` changes the file. What would have more errors than before is refused.
`profiles.NAME.PATH` is a value of a profile, where the path is one key.
"""

import argparse
import json
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from distillc.cli.find_specs import SPEC_NAMES
from distillc.cli.main import use_color
from distillc.cli.spec_file import SpecFile, read_spec
from distillc.cli.standard_input import from_standard_input
from distillc.compiler.lint import lint_file
from distillc.plugins.registry import Registry
from distillc.plugins.registry import load as load_plugins
from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.edit import Change, diff
from distillc.spec.errors import InvalidSpec, UsageError
from distillc.spec.lint import Linted
from distillc.spec.nodes import MappingNode, entries
from distillc.spec.parse import parse
from distillc.spec.render import render
from distillc.spec.render.json import as_dict
from distillc.spec.resolve import Assignment, Resolved, Stop, override_assignment
from distillc.spec.source import Source, decode, read_file
from distillc.spec.splice import with_value, without
from distillc.spec.wording import closest, shorten


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "items",
        nargs="*",
        metavar="PATH=VALUE",
        help="as in train.student.epochs=2, VALUE being YAML, or in a profile profiles.quick.train.student.epochs=2; "
        f"then the spec (default: {SPEC_NAMES[0]}); - is standard input",
    )
    parser.add_argument("--unset", action="append", default=[], metavar="PATH", help="take a key, or an item of a list, away")
    parser.add_argument("--write", action="store_true", help="change the file")
    parser.add_argument("--diff", action="store_true", help="print the difference instead of the text")
    parser.add_argument("--force", action="store_true", help="also where the spec then has more errors")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="how the answer is printed (default: text)")


def run(args: argparse.Namespace) -> int:
    overrides = [item for item in args.items if "=" in item]
    files = [item for item in args.items if "=" not in item] or [SPEC_NAMES[0]]
    if len(files) > 1:
        raise UsageError(f"`{files[0]}` is not PATH=VALUE", help="as in distillc set train.student.epochs=2 distill.yaml")
    if not overrides and not args.unset:
        raise UsageError("there is nothing to set", help="as in distillc set train.student.epochs=2 distill.yaml")
    file = _given() if files == ["-"] else read_spec(files[0])
    if args.write and files == ["-"]:
        raise UsageError("standard input cannot be changed", help="leave --write away: the new text is printed")
    name, text = file.source.name, file.source.text
    table = load_plugins()
    before = _linted(name, text, table)
    changed = edited(file.source, overrides, args.unset, table.language_schema()["properties"], before.resolved)
    after = _linted(name, changed, table)
    refused = errors(after).total() > errors(before).total() and not args.force
    new = [found for found in after.diagnostics if found.severity is Severity.ERROR and (found.code, found.message) not in errors(before)]
    if args.write and changed != text and not refused:
        file.write(changed)
    if args.format == "json":
        answer = {
            "file": name,
            "written": args.write and changed != text and not refused,
            "diff": diff(Change(name, text, changed)),
            "findings": [as_dict(found) for found in new],
        }
        print(json.dumps(answer, indent=1, ensure_ascii=False))
    elif refused:
        sys.stderr.write(render("full", new, after.sources, color=use_color(sys.stderr.isatty())))
        print("nothing is set: the spec would have more errors than before; --force sets it all the same", file=sys.stderr)
    elif args.diff:
        sys.stdout.write(diff(Change(name, text, changed)))
    elif args.write:
        print(f"{name} is changed" if changed != text else f"{name} says so already")
    else:
        sys.stdout.write(changed)
    return int(refused)


def _given() -> SpecFile:
    given = from_standard_input(None, [])
    text, wrong = decode(given.data, given.name)
    if wrong:
        raise InvalidSpec(wrong)
    return SpecFile.of(Source(given.name, text), given.data)


def _linted(name: str, text: str, table: Registry) -> Linted:
    """All rules, on a text that is not in the file yet."""
    return lint_file(Path(name), table, every_profile=True, read=lambda path: text.encode() if path == Path(name) else read_file(path))


def edited(source: Source, overrides: Sequence[str], unset: Sequence[str], sections: Mapping[str, Any], resolved: Resolved | None) -> str:
    """The text with all changes, one after the other. Raises UsageError for the first that leads nowhere."""
    changes = [(override, False) for override in overrides] + [(path, True) for path in unset]
    for change, takes in changes:
        root, found = parse(source)
        if not isinstance(root, MappingNode) or found:
            place = root.span if root else None
            raise InvalidSpec(found or [Diagnostic("D103", Severity.ERROR, "a spec is a mapping of sections", place)])
        path, _, value = change.partition("=")
        try:
            if takes:
                text = without(source, root, _parts(path), Source(path, path).span(0, len(path)))
            else:
                assignment = override_assignment(change, 0, {})
                parts = _parts(".".join(assignment.parts))
                if parts[0] == "profiles" and len(parts) > 1:
                    _known(parts[1], root, resolved)
                    assignment = assignment._replace(parts=parts, spans=assignment.spans[: len(parts)])
                text = with_value(source, root, assignment._replace(adds=_is_new_step(assignment, root)), value.strip(), sections)
        except Stop as stop:
            finding = stop.diagnostic
            raise UsageError(finding.message, where=change, help=_elsewhere(path, source, resolved) or finding.help) from None
        source = Source(source.name, text)
    return source.text


def _parts(path: str) -> tuple[str, ...]:
    return tuple(path.split(".", 2 if path.startswith("profiles.") else -1))


def _known(profile: str, root: MappingNode, resolved: Resolved | None) -> None:
    """Raises Stop for a profile that this file has not, and that can hardly be meant to be a new one."""
    ours = [entry.key for entry in entries(root.get("profiles"))]
    names = [*ours, *(entry.key for entry in entries(resolved.root.get("profiles") if resolved else None))]
    near = None if profile in ours else closest(profile, names)
    if near is not None:
        raise Stop(Diagnostic("D020", Severity.ERROR, f"there is no profile `{shorten(profile)}` here", help=f"did you mean `{near}`?"))


def _is_new_step(assignment: Assignment, root: MappingNode) -> bool:
    """Whether a whole step is to be added: one whose name is near another's is a typing error."""
    return (
        len(assignment.parts) == 2
        and isinstance(assignment.value, MappingNode)
        and closest(assignment.parts[1], [entry.key for entry in entries(root.get(assignment.parts[0]))]) is None
    )


def _elsewhere(path: str, source: Source, resolved: Resolved | None) -> str | None:
    """The way out where a step stands in a spec that this one extends."""
    step = ".".join(path.split(".")[:2])
    place = resolved.origin(step) if resolved else None
    return f"`{step}` stands in {place.file}, which this spec extends: set it there" if place and place.file != source.name else None


def errors(linted: Linted) -> Counter[tuple[str, str]]:
    return Counter((found.code, found.message) for found in linted.diagnostics if found.severity is Severity.ERROR)
