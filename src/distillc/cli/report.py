"""`distillc report [RUN|DIR]`: the table, the JSON or the page of a run, or of a bundle. Without a name: the newest run's."""

import argparse
import json
import sys
import webbrowser
from pathlib import Path
from typing import Any

from distillc.spec.errors import UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "run", nargs="?", metavar="RUN|DIR", help="a run's name, or how it begins, or a bundle's folder (default: the newest run)"
    )
    parser.add_argument("--evaluation", metavar="NAME", help="the step's report, where a run has several (default: the first)")
    parser.add_argument("--format", choices=("table", "json", "html"), default="table", help="how it is printed (default: table)")
    parser.add_argument("--open", action="store_true", help="open the page in a browser, and print where it lies")
    parser.add_argument("--store", metavar="PLACE", help="a folder or a URL (default: DISTILLC_STORE, else .distillc of this repository)")


def run(args: argparse.Namespace) -> int:
    if args.run and Path(args.run).is_dir():
        return _bundle(args, Path(args.run))
    from distillc.compiler.plan import without_cell
    from distillc.runtimes.recorded import recorded
    from distillc.runtimes.store import open_store

    store = open_store(args.store)
    found = recorded(store, args.run)
    named = {one.stage.removesuffix("/report"): one for one in found}
    picked = [one for name, one in named.items() if args.evaluation in (None, name, without_cell(name))]
    if not picked:
        names = ", ".join(named)
        raise UsageError(f"the run has no evaluation '{args.evaluation}'", help=f"it has: {names}")
    report = picked[0]
    if args.open or args.format == "html":
        from distillc.runtimes.report.page import render_page

        page = render_page(report.report, report.details)
        if not args.open:
            sys.stdout.write(page)
            return 0
        path = store.home / "runs" / report.run / f"{report.stage.replace('/', '-')}.html"
        path.write_text(page, encoding="utf-8")
        return _open(path)
    return _print(args.format, report.report)


def _bundle(args: argparse.Namespace, folder: Path) -> int:
    from distillc.runtimes.recorded import from_bundle

    page = folder / "report.html"
    if args.open:
        return _open(page)
    if args.format == "html":
        sys.stdout.write(page.read_text("utf-8"))
        return 0
    return _print(args.format, from_bundle(folder))


def _print(form: str, report: dict[str, Any]) -> int:
    if form == "json":
        sys.stdout.write(json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        return 0
    from distillc.runtimes.report.table import render

    sys.stdout.write(render(report))
    return 0


def _open(path: Path) -> int:
    if not path.is_file():
        raise UsageError("there is no page here", where=str(path), help="run the spec to its report first")
    webbrowser.open(path.resolve().as_uri())
    print(path)
    return 0
