"""The built-in plugins, offered through the same entry point as anybody's."""

from collections.abc import Iterable
from importlib import import_module

from distillc.plugins.api.hooks import hookimpl
from distillc.plugins.api.manifest import Kind, Manifest


@hookimpl
def distillc_manifests() -> Iterable[Manifest]:
    for kind in Kind:
        manifests: tuple[Manifest, ...] = import_module(f"distillc.plugins.{kind}.manifests").MANIFESTS
        yield from manifests
