"""A secret stands in the spec itself.

Why: a spec is committed, copied into bundles and printed in logs, and what was committed once stays in the history. Write where the
secret is (`${env:NAME}`, `${file:PATH}`), not what it is, and revoke a key that was ever committed. Fields typed secret take nothing
else; in all other fields, texts that look like a service's key are found. The excerpt hides the place.

Example:

    models:
      big: {uses: openai, name: big, api_key: sk-EXAMPLEexampleEXAMPLE0123}

Use instead:

    models:
      big: {uses: openai, name: big, api_key: "${env:OPENAI_API_KEY}"}
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
