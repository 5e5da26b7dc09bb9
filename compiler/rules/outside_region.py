"""Rows would go to an API outside of the region that the spec allows.

Why: `privacy.region` says where rows may go, often because a law or a contract does. An API is inside where its address is known to be
(`compiler/tables/services.json`), or where the entry of the model says so with `region`; one that nobody knows the place of is outside.
Servers of this machine and of private networks are inside. Regions are compared as texts, in capitals or not: `eu` has `eu-north1` in it,
and another name of the same place has not.

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
        if is_ours(fields) or (region and f"{region}-".casefold().startswith(f"{allowed}-".casefold())):
            continue
        said = ("region", "base_url") if region == model.fields.get("region") else ("base_url", "region")
        own = next((key for key in said if outline.exists((*model.where, key))), None)
        what = f"runs in {region}" if region else f"is at {host_of(fields)}, and nobody says in which region that is"
        hint = "" if model.fields.get("region") else f", or write `region: {allowed}` beside it where you know that it is there"
        help = (_one_place(region, allowed) if region else None) or f"take an address in {allowed}{hint}"
        related = label(outline, ("privacy", "region"), "where rows may go")
        where = (*model.where, own) if own else model.where
        yield error(outline, "D854", where, f"`{model.name}` {what}", help, related=related)


def _one_place(region: str, allowed: str) -> str | None:
    """The way out where two names begin alike and are of one place: `eu-north1` and `Europe`. The shorter is how services call it."""
    its, ours = (name.casefold().partition("-")[0] for name in (region, allowed))
    if its == ours or not (its.startswith(ours) or ours.startswith(its)):
        return None
    return f"did you mean `region: {ours}`?" if len(ours) < len(its) else f"did you mean `{its}` in `privacy.region`?"
