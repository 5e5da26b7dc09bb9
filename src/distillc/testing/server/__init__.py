"""An OpenAI-compatible server to test a client against: real sockets, no model behind it, faults on demand.

`with serve(Script(teacher="think"), dialect="nebius") as server:` in a test, `python -m distillc.testing.server` by hand. What it can do
wrong, and in which of its answers, is the `Script`; what it was asked is `server.calls()`. docs/testing-server.md lists the switches.
"""

try:
    from distillc.testing.server.running import Served, serve
except ModuleNotFoundError as missing:
    raise ModuleNotFoundError(
        f"the testing server needs {missing.name}, which is not installed; pip install 'distillc[serve]' brings it", name=missing.name
    ) from missing
from distillc.testing.server.script import Fault, Script, Teach

__all__ = ["Fault", "Script", "Served", "Teach", "serve"]
