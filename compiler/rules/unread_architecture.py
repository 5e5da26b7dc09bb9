"""A model file has an architecture that its plugin cannot convert.

Why: a GGUF file becomes weights that can be trained, and of each architecture somebody has to know which tensor is which. The name of the
file does not tell; its header does (`general.architecture`). A folder as `save_pretrained` writes it has no such limit.

Example:

    models: {base: {uses: transformers, path: models/gemma.gguf, license: gemma}}

Use instead:

    models: {base: {uses: transformers, path: models/gemma/, license: gemma}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.wording import listing


def check(outline: Outline) -> Iterator[Diagnostic]:
    for step in outline.of("models"):
        model = outline.models[step.name]
        converts = outline.capabilities(model.kind, model.uses).get("converts")
        if not converts:
            continue
        file, architecture = outline.known(model, "file"), outline.known(model, "architecture")
        if architecture and file in converts and architecture not in converts[file]:
            message = f"`{step.name}` is a {file} file of the architecture {architecture}, which `{model.uses}` cannot convert"
            help = f"name a model folder, or a {file} file of {listing(converts[file])}"
            yield error(outline, "D555", (*step.where, "path"), message, help)
