"""The manifests of this distribution. Every distillc command reads them, so this module imports nothing heavy."""

from collections.abc import Iterable

from distillc.plugins.api.hooks import hookimpl
from distillc.plugins.api.manifest import Kind, Manifest


@hookimpl
def distillc_manifests() -> Iterable[Manifest]:
    return (
        Manifest(
            kind=Kind.LOSSES,
            name="total_variation",
            summary="half the absolute difference of teacher and student: bounded, so that outliers count little",
            config="distillc_example.configs:TotalVariationConfig",
            impl="distillc_example.total_variation:TotalVariation",
            capabilities={"needs": "log_probabilities"},
            modules=("torch",),
            extra="local",
        ),
        Manifest(
            kind=Kind.METRICS,
            name="word_error_rate",
            summary="word edits from output to reference, per word of the reference",
            config="distillc_example.configs:WordErrorRateConfig",
            impl="distillc_example.word_error_rate:WordErrorRate",
            capabilities={"values": {"": "lower"}},
            modules=("numpy",),
            extra="local",
        ),
        Manifest(
            kind=Kind.TARGETS,
            name="zip",
            summary="one zip file with the exports and their evaluation",
            config="distillc_example.configs:ZipConfig",
            impl="distillc_example.zip_archive:ZipArchive",
        ),
    )
