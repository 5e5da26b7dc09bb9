"""`distillc plugins`: what is installed, from which distribution, and what is missing to run it. Imports no implementation."""

import argparse
import json
import sys
from typing import Any

from distillc.plugins.api.manifest import Kind
from distillc.plugins.registry import Registry, load
from distillc.spec.errors import UsageError
from distillc.spec.wording import did_you_mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kind", help="only plugins of this kind, such as losses")
    parser.add_argument("--format", choices=("table", "json"), default="table", help="how they are printed (default: table)")


def run(args: argparse.Namespace) -> int:
    if args.kind not in (None, *Kind):
        raise UsageError(f"there is no kind `{args.kind}`", help=did_you_mean(args.kind, list(Kind), "kinds"))
    registry = load()
    plugins = [plugin for plugin in listed(registry) if args.kind in (None, plugin["kind"])]
    if args.format == "json":
        sys.stdout.write(json.dumps(plugins, indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(table(plugins))
    for broken in registry.broken:
        print("cannot be read: " + ", ".join(f"{key} {value}" for key, value in broken.items()), file=sys.stderr)
    return 0


def listed(registry: Registry) -> list[dict[str, Any]]:
    """By kind and name. `missing` are modules that are not installed, `install` what brings them, `error` why a plugin is unusable."""
    return [
        {
            "kind": str(entry.manifest.kind),
            "name": entry.manifest.name,
            "distribution": entry.distribution,
            "version": entry.version,
            "summary": entry.manifest.summary,
            "missing": list(missing := registry.missing(entry.manifest)),
            "install": registry.remedy(entry.manifest) if missing else None,
            "error": entry.error,
        }
        for entry in registry.entries
    ]


def table(plugins: list[dict[str, Any]]) -> str:
    """A block a kind. The distribution stands with plugins of third parties alone."""
    width = max((len(plugin["name"]) for plugin in plugins), default=0)
    lines: list[str] = []
    kind = None
    for plugin in plugins:
        if plugin["kind"] != kind:
            kind = plugin["kind"]
            lines += ["", kind] if lines else [kind]
        notes = "" if plugin["distribution"] == "distillc" else f"  ({plugin['distribution']} {plugin['version']})"
        if plugin["error"]:
            notes += f"  [cannot be used: {plugin['error']}]"
        elif plugin["missing"]:
            notes += f"  [missing: {', '.join(plugin['missing'])}; {plugin['install']}]"
        lines.append(f"  {plugin['name'].ljust(width)}  {plugin['summary']}{notes}")
    return "\n".join(lines) + "\n" if lines else "no plugin of this kind is installed\n"
