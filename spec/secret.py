"""Secrets in a spec are references (`${env:NAME}`), allowed only in fields typed secret, and never shown.

`resolve_secret` is for the moment of use, in the process that uses it; what it returns goes into no plan, key, lock, log or report.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.errors import UsageError
from distillc.spec.nodes import ScalarNode

INTERPOLATION = re.compile(r"(?<!\$)\$\{(?:env|file|cmd|keyring):[^}]{0,200}\}")
_WHOLE = re.compile(r"\$\{(env|file|cmd|keyring):([^}]+)\}")
# Beginnings that well-known services give their keys.
_LOOKS_SECRET = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{30,})\b"
)


def is_reference(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None


def looks_secret(text: str) -> bool:
    """Whether a text looks like a key of a well-known service."""
    return _LOOKS_SECRET.search(text) is not None


def secret_findings(node: ScalarNode, subject: str) -> Iterator[Diagnostic]:
    """What is wrong with the value of a field typed secret. The value itself is in no message."""
    if not is_reference(node.text):
        help = "write ${env:NAME} or ${file:PATH}, and revoke a key that was ever committed"
        yield Diagnostic("D205", Severity.ERROR, f"{subject} holds the secret itself", node.span, help=help)


def resolve_secret(reference: str, folder: Path) -> str:
    """The secret behind `${env:NAME}` or `${file:PATH}` (relative to `folder`, the spec's). Raises UsageError, without the value."""
    match = _WHOLE.fullmatch(reference)
    if match is None:
        raise UsageError("a secret must be a reference", help="write ${env:NAME} or ${file:PATH}")
    scheme, name = match.groups()
    if scheme == "env":
        value = os.environ.get(name)
        if not value:
            raise UsageError(f"the environment variable {name} is not set", help=f"export {name}=…")
        return value
    if scheme == "file":
        try:
            return (folder / name).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise UsageError(f"cannot read the secret in {name}: {type(error).__name__}", help="the path is relative to the spec") from None
    raise UsageError(f"secrets by `{scheme}` are not supported by this version", help="use ${env:NAME} or ${file:PATH}")
