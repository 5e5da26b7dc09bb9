"""Rows would go to an API outside of the region that the spec allows.

Why: `privacy.region` says where rows may go, often because a law or a contract does. An API is inside where its address is known to be
(`compiler/tables/services.json`), or where the entry of the model says so with `region`; one that nobody knows the place of is outside.
Servers of this machine and of private networks are inside.

Example:

    privacy: {region: eu}
    models: {big: {uses: nebius, name: m, region: us-central1, family: qwen3, license: Apache-2.0}}

Use instead:

    privacy: {region: eu}
    models: {big: {uses: nebius, name: m, region: eu-north1, family: qwen3, license: Apache-2.0}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, label
from distillc.compiler.rules.no_price import apis
from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import at, text


def check(outline: Outline) -> Iterator[Diagnostic]:
    allowed = text(at(outline.root, "privacy", "region"))
    if not allowed or ("privacy",) in outline.malformed:
        return
    from distillc.compiler.tables.services import host_of, is_ours, region_of

    for model in apis(outline):
        fields = {"uses": model.uses, **model.fields}
        region = region_of(fields)
        if is_ours(fields) or (region and (region == allowed or region.startswith(f"{allowed}-"))):
            continue
        own = next((key for key in ("base_url", "region") if outline.exists((*model.where, key))), None)
        what = f"runs in {region}" if region else f"is at {host_of(fields)}, and nobody says in which region that is"
        hint = "" if model.fields.get("region") else f", or write `region: {allowed}` beside it where you know that it is there"
        related = label(outline, ("privacy", "region"), "where rows may go")
        where = (*model.where, own) if own else model.where
        yield error(outline, "D854", where, f"`{model.name}` {what}", f"take an address in {allowed}{hint}", related=related)
