"""Diagnostics as text: `render(name, diagnostics, sources)`. Each form is a module that is imported when it is asked for."""

from importlib import import_module

TYPE_CHECKING = False  # as in typing: the names of the forms are asked for where nothing is rendered
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from distillc.spec.diagnostic import Diagnostic
    from distillc.spec.source import Source

FORMATS = ("full", "concise", "json", "sarif", "github", "gitlab")


def render(form: str, diagnostics: "Sequence[Diagnostic]", sources: "Mapping[str, Source]", *, color: bool = False) -> str:
    """Text that ends with a line end, or is empty. `form` is one of FORMATS; only `full` and `concise` know colours."""
    text: str = import_module(f"distillc.spec.render.{form}").render(diagnostics, sources, color=color)
    return text
