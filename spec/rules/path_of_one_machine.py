"""A path leads into somebody's home folder, or is written for one operating system.

Why: a spec is what others run again. A path below `/home/NAME`, a drive letter or a backslash works on one machine alone, and tells
everybody its user's name (https://github.com/Capsize-Games/airunner/issues/2045); `~` works nowhere, because nothing expands it. Paths
start at the spec's folder; a file of an installed package is `pkg://distribution/path`. Other absolute paths (`/data`, `/mnt`) may be
shared and are left alone.

Example:

    models:
      big: {uses: transformers, path: /home/ada/models/big}

Use instead:

    models:
      big: {uses: transformers, path: models/big}

Fix: writes slashes for the backslashes of a relative path. That is safe: Windows reads both.
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.file_paths import file_paths
from distillc.spec.node_edits import fix, replace
from distillc.spec.nodes import ScalarNode
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten

_HOMES = ("/home/", "/Users/", "/root/")


def check(context: Context) -> Iterator[Diagnostic]:
    for _, node, path in file_paths(context):
        if path.startswith("~"):
            what = "is not expanded: `~` is a folder's name here"
        elif path.startswith(_HOMES):
            what = "is somebody's home folder"
        elif path.startswith("\\\\") or (path[0].isalpha() and path[1:2] == ":" and path[2:3] in ("/", "\\")):
            what = "is on a drive of one machine"
        elif "\\" in path:
            yield _backslash(node, path, context)
            continue
        else:
            continue
        yield warning("D802", f"`{shorten(path)}` {what}", node.span, "write a path that starts at the spec's folder")


def _backslash(node: ScalarNode, path: str, context: Context) -> Diagnostic:
    from json import dumps  # YAML's double quotes understand all that it writes

    slashed = path.replace("\\", "/")
    repair = fix(context, "write slashes", replace(node, slashed if node.plain else dumps(slashed, ensure_ascii=False)), safe=True)
    return warning("D802", f"`{shorten(path)}` is read on Windows alone", node.span, f"write `{shorten(slashed)}`", fix=repair)
