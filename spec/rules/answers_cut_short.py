"""A model learns answers longer than those it may give when it is tested.

Why: `decoding` of a generator counts for the answers to learn from alone. Tested with the spec's own `max_tokens`, a student that learnt
to write 512 tokens is cut off at 64 and fails for it. A widely copied notebook evaluated its student with 128 tokens, all of them
reasoning that broke off, and no answer matched any reference (https://github.com/nebius/token-factory-cookbook, distillation-1).

Example:

    generate:
      answers: {from: learner, steps: [{uses: answer, model: teacher, decoding: {max_tokens: 512}}]}
    evaluate:
      test: {data: pairs.test, models: [teacher, student], metrics: [exact_match]}

Use instead:

    generate:
      answers: {from: learner, steps: [{uses: answer, model: teacher, decoding: {max_tokens: 512}}]}
    evaluate:
      test: {data: pairs.test, models: [teacher, student], metrics: [exact_match], decoding: {max_tokens: 512}}
"""

from collections.abc import Iterator

from distillc.spec.defaults import of_language
from distillc.spec.diagnostic import Diagnostic, Label
from distillc.spec.nodes import Node, at, entries, items, text, uses, whole
from distillc.spec.pedigree import Pedigree, pedigree
from distillc.spec.rows import Rows, items_of, rows_of, way
from distillc.spec.rules import Context, warning
from distillc.spec.wording import shorten


def check(context: Context) -> Iterator[Diagnostic]:
    general = context.at("decoding", "max_tokens")
    for step in entries(context.at("evaluate")):
        family = pedigree(context)
        own = at(step.value, "decoding", "max_tokens")
        allowed = (
            whole(own if own is not None else general)
            if own is not None or general is not None
            else of_language(context, "Decoding", "max_tokens")
        )
        if allowed is None:
            continue
        for model in items(at(step.value, "models")):
            learnt = _longest_learnt(text(model), family, context)
            if learnt and learnt[0] > allowed:
                tokens, node = learnt
                message = f"`{shorten(text(model) or '')}` learns answers of up to {tokens} tokens, and is tested with {allowed}"
                label = (Label(node.span, "what it learns from"),)
                yield warning(
                    "D316", message, (own or model).span, f"give the evaluation `decoding: {{max_tokens: {tokens}}}`", related=label
                )


def _longest_learnt(model: str | None, family: Pedigree, context: Context) -> tuple[int, Node] | None:
    """Tokens of the longest answer that the last training takes in, and the place that says so; None unless a generator says it itself."""
    train = next((name for name in family.ancestors(model) if family.sections.get(name) == "train"), None) if model else None
    rows = rows_of(text(context.at("train", train, "data")), context) if train else None
    if rows is None or rows.answered is None:
        return None
    step, place = rows.answered
    own = context.at("generate", step, "steps", place, "decoding", "max_tokens")
    tokens = whole(own)
    return (min([tokens, *_bounds(rows, context)]), own) if own is not None and tokens is not None else None


def _bounds(rows: Rows, context: Context) -> list[int]:
    """The longest target that curators let pass."""
    found = []
    for step in way(rows, context):
        for item in items_of(step, context) if step.section == "curate" else ():
            field = context.table.capabilities("curators", uses(item) or "").get("longest")
            found.append(whole(at(item, field)) if field else None)
    return [tokens for tokens in found if tokens is not None]
