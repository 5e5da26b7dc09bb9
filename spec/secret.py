"""Secrets in a spec are references (`${env:NAME}`), allowed only in fields typed secret, and never shown.

`resolve_secret` is for the moment of use, in the process that uses it; what it returns goes into no plan, key, lock, log or report.
"""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from distillc.spec.diagnostic import Diagnostic, Severity
from distillc.spec.errors import UsageError
from distillc.spec.nodes import ScalarNode
from distillc.spec.wording import MAX_QUOTED

KINDS = ("env", "file", "cmd", "keyring")
INTERPOLATION = re.compile(rf"(?<!\$)\$\{{(?:{'|'.join(KINDS)}):[^}}]{{0,200}}\}}")
_WHOLE = re.compile(rf"\$\{{({'|'.join(KINDS)}):([^}}]+)\}}")
UNTRUSTED = "DISTILLC_UNTRUSTED"
"""Set by who runs specs that somebody else wrote: such a spec reaches into no private network, and has the secrets that it is allowed."""

ALLOWED = "DISTILLC_ALLOW_SECRETS"
"""What a spec that is not trusted may have: references without their braces, `env:TEACHER_KEY,file:key.txt`. Commands are never run."""

PATIENCE = 60
"""Seconds that a command may take to print a secret: somebody may have to unlock a store first."""

# Beginnings that well-known services give their keys.
_LOOKS_SECRET = re.compile(
    r"\b(?:sk-[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{20,}|AKIA[A-Z0-9]{16}|gh[pousr]_[A-Za-z0-9]{30,}|AIza[A-Za-z0-9_-]{30,})\b"
)

# What a shell, or another tool's file, calls a variable of the environment; without a sign that says so only a name that ends as theirs do.
_VARIABLE = re.compile(r"(?:\$\{?|\$?\{?env:)([A-Z]+(?:_[A-Z0-9]+)*)\}?|([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:KEY|TOKEN|SECRET))", re.ASCII)


def is_reference(text: str) -> bool:
    return _WHOLE.fullmatch(text) is not None


def name_in(reference: str) -> str:
    """`env:NAME` of `${env:NAME}`: what may be told of a secret."""
    return reference.removeprefix("${").removesuffix("}")


def is_variable(name: str) -> bool:
    """Whether a name is written as those of the environment are, in capitals."""
    return re.fullmatch(r"[A-Z][A-Z0-9_]+", name) is not None


def looks_secret(text: str) -> bool:
    """Whether a text looks like a key of a well-known service."""
    return _LOOKS_SECRET.search(text) is not None


def secret_findings(node: ScalarNode, subject: str) -> Iterator[Diagnostic]:
    """What is wrong with the value of a field typed secret. The value itself is in no message."""
    if is_reference(node.text):
        return
    if (variable := _VARIABLE.fullmatch(node.text)) and len(node.text) <= MAX_QUOTED:
        message, help = f"{subject} must be a reference to a secret", f"did you mean `${{env:{variable[1] or variable[2]}}}`?"
    else:
        message, help = f"{subject} holds the secret itself", "write ${env:NAME} or ${file:PATH}, and revoke a key that was ever committed"
    yield Diagnostic("D205", Severity.ERROR, message, node.span, help=help)


def resolve_secret(reference: str, folder: Path) -> str:
    """The secret behind a reference; files and commands are those of `folder`, the spec's. Raises UsageError, without the value."""
    match = _WHOLE.fullmatch(reference)
    if match is None:
        raise UsageError(
            "a secret must be a reference", help="write ${env:NAME}, ${file:PATH}, ${cmd:PROGRAM ARGUMENTS} or ${keyring:SERVICE/NAME}"
        )
    scheme, name = match.groups()
    _check_allowed(scheme, name, folder)
    return _SCHEMES[scheme](name, folder)


def missing_secret(reference: str, folder: Path) -> UsageError | None:
    """What `resolve_secret` would raise, as far as a look tells: no command is run for it, and no keyring asked."""
    scheme, _, name = name_in(reference).partition(":")
    try:
        if scheme in ("cmd", "keyring"):
            _check_allowed(scheme, name, folder)
        else:
            resolve_secret(reference, folder)
    except UsageError as error:
        return error
    return None


def _check_allowed(scheme: str, name: str, folder: Path) -> None:
    """Raises UsageError for a secret that a spec which is not trusted must not have: it could send it to whom it likes."""
    import shlex

    if not os.environ.get(UNTRUSTED):
        return
    if scheme == "cmd":
        raise UsageError(
            "the spec is not trusted, and wants to run a command for a secret", help=f"unset {UNTRUSTED} if you trust the spec"
        )
    wanted = f"{scheme}:{name}"
    if wanted not in (allowed.strip() for allowed in os.environ.get(ALLOWED, "").split(",")):
        raise UsageError(
            f"the spec is not trusted, and asks for the secret `{wanted}`",
            help=f"if it may send it to its `base_url`: export {ALLOWED}={shlex.quote(wanted)} (several with commas between)",
        )
    if scheme == "file" and not (folder / name).resolve().is_relative_to(folder.resolve()):  # links are followed
        raise UsageError(
            f"the spec is not trusted, and the file {name} is not in its folder", help="put the secret into a variable, and allow that"
        )


def _from_environment(name: str, folder: Path) -> str:
    value = os.environ.get(name)
    if not value:
        raise UsageError(f"the environment variable {name} is not set", help=f"export {name}=…")
    return value


def _from_file(name: str, folder: Path) -> str:
    try:
        value = (folder / name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read the secret in {name}: {type(error).__name__}", help="the path is relative to the spec") from None
    if not value:
        raise UsageError(f"the file {name} is empty, and should have a secret in it", help="write the key into it, and nothing else")
    return value


def _from_command(name: str, folder: Path) -> str:
    """What a program prints, without a shell. Nothing of it is shown, whether it ends well or not, for it may be the secret."""
    import shlex
    import subprocess

    try:
        argv = shlex.split(name)
        done = subprocess.run(argv, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=True)
        value = done.stdout.decode().strip()
    except subprocess.TimeoutExpired:
        why = f"did not end within {PATIENCE} s"
    except subprocess.CalledProcessError as error:
        why = f"ended with status {error.returncode}"
    except (OSError, ValueError) as error:
        why = f"failed: {type(error).__name__}"
    else:
        why = "printed nothing" if not value else "printed more than one line" if len(value.splitlines()) > 1 else ""
        if not why:
            return value
    raise UsageError(f"the command for a secret, `{name}`, {why}", help="run it yourself: it must print the secret and nothing else")


def _from_keyring(name: str, folder: Path) -> str:
    service, slash, user = name.rpartition("/")
    if not slash:
        raise UsageError(f"`{name}` names no entry of a keyring", help="write ${keyring:SERVICE/NAME}")
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        raise UsageError("secrets in a keyring need the library `keyring`", help="pip install 'distillc[api]'") from None
    try:
        value = keyring.get_password(service, user)
    except KeyringError as error:
        raise UsageError(f"the keyring cannot be read: {type(error).__name__}", help="unlock it, or use ${env:NAME}") from None
    if not value:
        raise UsageError(f"the keyring has no secret `{user}` of `{service}`", help=f"keyring set {service} {user}")
    return value


_SCHEMES: Mapping[str, Callable[[str, Path], str]] = {
    "env": _from_environment,
    "file": _from_file,
    "cmd": _from_command,
    "keyring": _from_keyring,
}
