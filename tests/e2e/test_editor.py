"""The schema in an editor: what VS Code's and Neovim's YAML server offers, shows and flags in a spec.

A flat `oneOf` completes badly there (redhat-developer/yaml-language-server#26), so the form of ours is held by the real server, driven
over its standard streams. Needs node and npm.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from distillc.spec.schema import SCHEMA_FILE

SERVER = "yaml-language-server@1.25.0"
HEAD = 'distill: 1\nname: x\ntask: {kind: generate, input: a, target: b, prompt: "{{ a }}"}\n'

pytestmark = [pytest.mark.soak, pytest.mark.skipif(not (shutil.which("npm") and shutil.which("node")), reason="no node")]


class Editor:
    """A client of the Language Server Protocol: opens documents, asks at the place marked `‸`."""

    def __init__(self, script: Path, schema: Path) -> None:
        self.server = subprocess.Popen(["node", str(script), "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.schema = schema
        self.requests = 0
        self.documents = 0
        self.flagged: dict[str, list[str]] = {}
        self.request("initialize", {"processId": None, "rootUri": None, "capabilities": {
            "textDocument": {"completion": {"completionItem": {"snippetSupport": True, "documentationFormat": ["markdown"]}}},
            "workspace": {"configuration": True, "didChangeConfiguration": {"dynamicRegistration": True}},
        }})  # fmt: skip
        self.send({"method": "initialized", "params": {}})
        assert self.flags("distill: 9\n")  # the server has read its settings and the schema

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.server.stdin is not None
        self.server.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.server.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.server.stdout is not None
        length = 0
        while line := self.server.stdout.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        message: dict[str, Any] = json.loads(self.server.stdout.read(length))
        if message.get("method") == "textDocument/publishDiagnostics":
            self.flagged[message["params"]["uri"]] = [found["message"] for found in message["params"]["diagnostics"]]
        elif "method" in message and "id" in message:
            asked = message["params"].get("items", []) if message["method"] == "workspace/configuration" else []
            answer = [self.settings() if item.get("section") == "yaml" else {} for item in asked]
            self.send({"id": message["id"], "result": answer or None})
        return message

    def settings(self) -> dict[str, Any]:
        kinds = {"validate": True, "hover": True, "completion": True, "schemaStore": {"enable": False}}
        return {**kinds, "schemas": {self.schema.as_uri(): ["*.distill.yaml"]}}

    def request(self, method: str, params: dict[str, Any]) -> Any:
        self.requests += 1
        self.send({"id": self.requests, "method": method, "params": params})
        while (message := self.receive()).get("id") != self.requests or "method" in message:
            pass
        return message["result"]

    def open(self, text: str, name: str = "distill.yaml") -> str:
        self.documents += 1
        uri = f"file:///nowhere/{self.documents}.{name}"
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": {
            "uri": uri, "languageId": "yaml", "version": 1, "text": text,
        }}})  # fmt: skip
        return uri

    def flags(self, text: str, name: str = "distill.yaml") -> list[str]:
        uri = self.open(text, name)
        while uri not in self.flagged:
            self.receive()
        return self.flagged[uri]

    def at(self, text: str) -> dict[str, Any]:
        before = text[: text.index("‸")].split("\n")
        place = {"line": len(before) - 1, "character": len(before[-1])}
        return {"textDocument": {"uri": self.open(text.replace("‸", ""))}, "position": place}

    def offers(self, text: str, head: str = HEAD) -> dict[str, dict[str, Any]]:
        return {item["label"]: item for item in self.request("textDocument/completion", self.at(head + text))["items"]}

    def shows(self, text: str) -> str:
        return str(self.request("textDocument/hover", self.at(HEAD + text))["contents"]["value"])


@pytest.fixture(scope="module")
def editor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Editor]:
    folder = tmp_path_factory.mktemp("server")
    quiet = ["--no-audit", "--no-fund", "--loglevel=error"]
    installed = subprocess.run(["npm", "install", *quiet, "--prefix", str(folder), SERVER], capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"{SERVER} cannot be installed: {installed.stderr[-200:]}")
    found = Editor(folder / "node_modules" / "yaml-language-server" / "bin" / "yaml-language-server", SCHEMA_FILE.resolve())
    yield found
    found.server.kill()
    found.server.wait()


def test_after_uses_the_keys_of_that_plugin_are_offered_and_no_others(editor: Editor) -> None:
    offered = editor.offers("models:\n  small:\n    uses: prune\n    ‸\n")
    assert {"from", "layers", "keep", "family", "license", "engine"} <= offered.keys()
    assert not {"path", "width", "uses"} & offered.keys()
    assert offered["license"]["insertText"] == "license: ", "never `license: null`"


def test_inside_braces_too(editor: Editor) -> None:
    assert {"layers", "license"} <= editor.offers("models: {small: {uses: prune, l‸}}\n").keys()


def test_uses_offers_every_plugin_with_what_it_is(editor: Editor) -> None:
    offered = editor.offers("models:\n  small:\n    uses: ‸\n")
    assert {"prune", "transformers", "identity"} <= offered.keys()
    assert offered["prune"]["documentation"] == "Some layers of a model, as they are: the rest is left out"


def test_a_bare_name_is_offered_where_the_plugin_needs_no_keys(editor: Editor) -> None:
    assert {"harper", "identity"} <= (offered := editor.offers("models:\n  rules: ‸\n").keys())
    assert "prune" not in offered


def test_a_new_step_offers_each_plugin_with_the_keys_that_it_must_have(editor: Editor) -> None:
    offered = editor.offers("models:\n  small:\n    ‸\n")
    assert offered["uses: prune"]["insertText"] == "uses: prune\nfrom: $1\nlayers: $2"


def test_a_train_step_offers_whole_steps_to_start_from(editor: Editor) -> None:
    assert {"tune", "distil", "learning_rate"} <= editor.offers("train:\n  student:\n    ‸\n").keys()


def test_items_of_a_list_of_steps_are_offered(editor: Editor) -> None:
    offered = editor.offers("curate:\n  clean:\n    from: rows\n    steps:\n      - ‸\n")
    assert {"dedup", "length", "uses: decontaminate"} <= offered.keys()


def test_the_kinds_of_task_are_offered_with_what_they_are(editor: Editor) -> None:
    offered = editor.offers("task:\n  kind: ‸\n", head="distill: 1\nname: x\n")
    assert offered["rank"]["documentation"] == "the model orders documents for a query"


def test_hovering_over_a_key_shows_its_description(editor: Editor) -> None:
    assert "how many layers are kept" in editor.shows("models: {small: {uses: prune, from: a, la‸yers: 3}}\n")
    assert "Some layers of a model" in editor.shows("models: {small: {us‸es: prune, from: a, layers: 3}}\n")


def test_an_unknown_key_is_flagged_alone(editor: Editor) -> None:
    assert editor.flags(HEAD + "models: {small: {uses: prune, from: a, layers: 3, latyers: 3}}\n") == ["Property latyers is not allowed."]


def test_an_unknown_plugin_is_flagged_with_those_that_there_are(editor: Editor) -> None:
    (message,) = editor.flags(HEAD + "models: {small: {uses: prone, from: a, layers: 3}}\n")
    assert message.startswith("Value is not accepted. Valid values:") and '"prune"' in message


def test_a_right_spec_has_no_flags(editor: Editor) -> None:
    example = Path(__file__).parents[2] / "examples" / "grammar" / "distill.yaml"
    assert editor.flags(example.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("line", ["# yaml-language-server: $schema={}", "# $schema: {}"])
def test_a_first_line_picks_the_schema_where_no_setting_does(editor: Editor, line: str) -> None:
    text = f"{line.format(editor.schema.as_uri())}\n{HEAD}nonsense: 1\n"
    assert editor.flags(text, "other.yaml") == ["Property nonsense is not allowed."]
