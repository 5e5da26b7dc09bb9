"""The compiler: a checked spec and a table of plugins become a plan.

`compile_spec` is the way in; it is imported when it is asked for, so that `distillc.compiler.plan` alone costs nothing.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distillc.compiler.front import Compiled, compile_file, compile_spec

__all__ = ["Compiled", "compile_file", "compile_spec"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from distillc.compiler import front

        return getattr(front, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
