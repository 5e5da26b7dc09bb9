"""Lints one spec after the other, as the options of `distillc lint` say."""

import argparse
from pathlib import Path

from distillc.compiler.lint import lint_file
from distillc.plugins.registry import load as load_plugins
from distillc.spec.diagnostic import Diagnostic, Severity, Span
from distillc.spec.lint import Linted
from distillc.spec.resolve import Read
from distillc.spec.suppress import asked


class Linter:
    """Called with a file's name and what reads it. A file that cannot be read is a finding too."""

    def __init__(self, args: argparse.Namespace) -> None:
        """Raises UsageError on codes that there are not, and where the installed plugins are at odds."""
        self.args = args
        self.selection = asked(args.select, args.ignore)
        self.table = load_plugins()

    def __call__(self, name: str, read: Read) -> Linted:
        profile = self.args.profile
        try:
            if self.args.world:
                from distillc.cli.world import look_at_world

                return look_at_world(Path(name), self.table, profile, self.args.overrides, self.selection)
            return lint_file(
                Path(name), self.table, profile, self.args.overrides, every_profile=profile is None, read=read, selection=self.selection
            )
        except OSError as error:
            message = f"cannot read the file: {error.strerror or error}"
            return Linted(None, [Diagnostic("D000", Severity.ERROR, message, Span(name, 1, 1, 1, 1), help="check the path")])
