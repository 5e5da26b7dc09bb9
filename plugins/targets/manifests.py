"""The targets that come with distillc, as plain data."""

from distillc.plugins.api.manifest import Kind, Manifest

MANIFESTS: tuple[Manifest, ...] = (
    Manifest(
        kind=Kind.TARGETS,
        name="bundle",
        summary="a folder with the exports, their card, licenses, evaluation, lock, checksums and ways to serve them",
        config="distillc.plugins.targets.configs:BundleConfig",
        impl="distillc.plugins.targets.bundle.target:BundleTarget",
        cache_version=2,
    ),
)
"""No extra: what a bundle is made of is text and files that are there already."""
