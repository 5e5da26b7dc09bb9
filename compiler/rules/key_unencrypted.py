"""A key would go over the internet in a way that everybody on its way can read.

Why: what begins with http:// is not encrypted, and whoever reads the key can spend your money. A run refuses such a call, but only once
it comes to it. Servers of this machine and of private networks may be asked so. An address of numbers is certain. A name may lead to a
private network, which nobody knows before it is asked for: it is warned of, unless it has no dot or ends as private names do (RFC 6762,
appendix G).

Example:

    models: {big: {uses: openai, name: m, base_url: "http://llm.example/v1", api_key: "${env:KEY}", family: qwen3, license: MIT}}

Use instead:

    models: {big: {uses: openai, name: m, base_url: "https://llm.example/v1", api_key: "${env:KEY}", family: qwen3, license: MIT}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import error, warning
from distillc.compiler.rules.no_price import apis
from distillc.spec.diagnostic import Diagnostic

_PRIVATE = (".local", ".internal", ".intranet", ".private", ".corp", ".home", ".lan", ".home.arpa", ".localhost")


def check(outline: Outline) -> Iterator[Diagnostic]:
    for model in apis(outline):
        url = str(model.fields.get("base_url") or "")
        if not url.startswith("http://") or not ((model.engine or {}).get("api_key") or model.fields.get("api_key")):
            continue
        from distillc.compiler.tables.services import address_of, host_of, is_ours

        host, where = host_of(model.fields), (*model.where, "base_url")
        if host is None or is_ours(model.fields):
            continue
        if address_of(model.fields):
            yield error(outline, "D856", where, f"the key of `{model.name}` would go over the internet unencrypted", "write https://")
        elif "." in host and not host.endswith(_PRIVATE):
            message = f"the key of `{model.name}` goes to {host} unencrypted"
            help = "write https://; a run refuses it unless that leads to a private network"
            yield warning(outline, "D856", where, message, help)
