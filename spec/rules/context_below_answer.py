"""A bundle reserves fewer tokens for prompt and answer together than an answer alone may have.

Why: `context` goes into the files that serve the model (`--ctx-size`, `num_ctx`). Where it is no larger than `max_tokens`, an answer is
cut where the evaluation did not cut it, and the delivered model does worse than its report.

Example:

    decoding: {max_tokens: 1024}
    deploy:
      edge: {uses: bundle, from: q8, context: 512}

Use instead:

    decoding: {max_tokens: 1024}
    deploy:
      edge: {uses: bundle, from: q8, context: 2048}
"""

from collections.abc import Iterator

from distillc.spec.defaults import of_language, of_plugin
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import at, entries, uses, whole
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    default = whole(context.at("decoding", "max_tokens")) or of_language(context, "Decoding", "max_tokens")
    own = [whole(at(step.value, "decoding", "max_tokens")) or default for step in entries(context.at("evaluate"))]
    answer = min(own, default=default)
    for step in entries(context.at("deploy")):
        node = at(step.value, "context")
        reserved = of_plugin(context, "targets", "bundle", "context") if node is None else whole(node)
        if uses(step.value) == "bundle" and reserved is not None and reserved <= answer:
            message = f"`{shorten(step.key)}` reserves {reserved} tokens for prompt and answer, and an answer may have {answer}"
            help = "make `context` larger than `max_tokens` by the longest prompt"
            yield warning("D706", message, node.span if node else step.key_span, help)
