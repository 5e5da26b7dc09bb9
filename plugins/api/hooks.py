"""The one hook of distillc. A distribution names a module under the entry-point group `distillc`; the module has

    @hookimpl
    def distillc_manifests():
        return [Manifest(...), ...]

Reading manifests must be cheap: the module imports nothing but `distillc.plugins.api`.
"""

from collections.abc import Iterable

import pluggy

from distillc.plugins.api.manifest import Manifest

GROUP = "distillc"
hookspec = pluggy.HookspecMarker(GROUP)
hookimpl = pluggy.HookimplMarker(GROUP)


@hookspec
def distillc_manifests() -> Iterable[Manifest]:  # type: ignore[empty-body]
    """The manifests of all plugins in this distribution."""
