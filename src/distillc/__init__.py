"""distillc: a compiler for model distillation.

    import distillc

    for finding in distillc.lint("distill.yaml"):
        print(finding.code, finding.message)
    plan = distillc.plan("distill.yaml", profile="quick")
    outcome = distillc.run("distill.yaml", profile="quick")

The import costs nothing: what a function needs is imported when it is called.
"""

from __future__ import annotations

TYPE_CHECKING = False  # as in typing, which alone costs as much as a bare interpreter
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from distillc.compiler.plan import Plan
    from distillc.runtimes.driver import Outcome, Progress
    from distillc.spec.diagnostic import Diagnostic

__version__ = "0.1.0"
__all__ = ["__version__", "lint", "plan", "run"]


def lint(path: str | Path, *, profile: str | None = None, overrides: Sequence[str] = ()) -> list[Diagnostic]:
    """What is wrong with a spec, in the order of its text. `overrides` are `PATH=VALUE`, as of `--set`. Raises OSError."""
    from pathlib import Path

    from distillc.compiler.lint import lint_file
    from distillc.plugins.registry import load

    return list(lint_file(Path(path), load(), profile, overrides, every_profile=profile is None).diagnostics)


def plan(path: str | Path, *, profile: str | None = None, overrides: Sequence[str] = ()) -> Plan:
    """Compiles a spec. Raises InvalidSpec, which carries the findings."""
    from distillc.compiler import compile_spec
    from distillc.plugins.registry import load

    return compile_spec(path, load(), profile=profile, overrides=tuple(overrides))


def run(
    path: str | Path,
    *,
    profile: str | None = None,
    overrides: Sequence[str] = (),
    until: str | None = None,
    store: str | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Compiles a spec and makes everything that is not there yet, up to the step `until`.

    `store` is a folder or a URL (None: DISTILLC_STORE, else `.distillc` of the repository around the working directory);
    `progress` is called with each event of the log. What fails in a stage is in `Outcome.error`; raises InvalidSpec and UsageError.
    """
    from pathlib import Path

    from distillc.compiler import compile_spec
    from distillc.plugins.registry import load
    from distillc.runtimes import driver
    from distillc.runtimes.executors import open_executor
    from distillc.runtimes.store import open_store

    registry = load()
    compiled = compile_spec(path, registry, profile=profile, overrides=tuple(overrides))
    return driver.run(
        compiled,
        folder=Path(path).resolve().parent,
        store=open_store(store),
        executor=open_executor(compiled, registry),
        plugins=registry,
        until=until,
        progress=progress,
    )
