"""A secret stands in the spec itself.

A spec is committed, copied into bundles and printed in logs. Write where the secret is, not what it is; a key that was ever
committed should be revoked.

    models: {big: {uses: openai, api_key: "${env:OPENAI_API_KEY}"}}
"""

from collections.abc import Iterator

from distillc.spec.diagnostic import Diagnostic
from distillc.spec.nodes import Entry, Node, ScalarNode, SequenceNode, entries
from distillc.spec.rules import Context, error
from distillc.spec.secret import looks_secret


def check(context: Context) -> Iterator[Diagnostic]:
    """Fields typed secret are checked where the schema is; here, texts anywhere that look like a key."""
    stack: list[Node | Entry] = [context.root]
    seen: set[int] = set()
    while stack:
        part = stack.pop()
        node = part.value if isinstance(part, Entry) else part
        if id(node) in seen:  # an alias leads here again
            continue
        seen.add(id(node))
        if isinstance(node, ScalarNode):
            if isinstance(node.value, str) and looks_secret(node.value):
                yield error(
                    "D205", "this looks like the key of a service", node.span, "write ${env:NAME} in a secret field, and revoke the key"
                )
        elif isinstance(node, SequenceNode):
            stack.extend(node.items)
        else:
            stack.extend(entries(node))
