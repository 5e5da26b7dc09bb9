"""Nothing may be kept, and the service keeps what it is sent unless its settings say otherwise.

Why: with `privacy.retention: none` each request says `store: false`. Some services keep prompts beyond that, for speculative decoding or
against abuse, until that is switched off for the whole project or organization, which some of them have to approve. No request shows
whether that was done, so this warns: ignore it with the day on which you looked as the reason. What is known of each service is in
`compiler/tables/services.json`; of one that is not there nothing is known.

Example:

    privacy: {retention: none}
    models: {big: {uses: nebius, name: m, family: qwen3, license: Apache-2.0}}

Use instead:

    privacy: {retention: none}
    models: {big: {uses: openai, name: m, base_url: "http://10.0.0.7/v1", family: qwen3, license: Apache-2.0}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import warning
from distillc.compiler.rules.no_price import apis
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import at, text


def check(outline: Outline) -> Iterator[Diagnostic]:
    if text(at(outline.root, "privacy", "retention")) != "none" or ("privacy",) in outline.malformed:
        return
    from distillc.compiler.tables.services import is_ours, keeps, service_of

    for model in apis(outline):
        fields = {"uses": model.uses, **model.fields}
        service = service_of(fields)
        known = keeps(service) if service and not is_ours(fields) else None
        if known:
            title, what = known
            message = f"`{model.name}` is asked at {title}, which may keep what it is sent unless its settings say otherwise"
            help = "have that switched off for the project or the organization, then ignore this with the day as the reason"
            yield warning(outline, "D855", model.where, message, help, notes=(what,))
