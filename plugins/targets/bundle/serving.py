"""serve/: how to run each export with what reads its format. Every text that enters a script or a Modelfile is quoted for it."""

import json
import re
import shlex
from pathlib import PurePosixPath

from distillc.plugins.api.artifacts import Model
from distillc.plugins.api.targets import Delivery
from distillc.runtimes import bundle
from distillc.spec.errors import StageFailed


def files(delivery: Delivery, context: int, license: str | None) -> dict[str, str]:
    """File name in serve/ -> text."""
    found: dict[str, str] = {}
    for name, model in delivery.exports.items():
        if model.info.format == "gguf":
            path = f"models/{name}/{_gguf(name, model)}"
            found[f"{name}.Modelfile"] = modelfile(path, delivery, context, license)
            found[f"{name}-llama-server.sh"] = llama_server(path, context)
        elif model.info.format == "onnx-genai":
            found[f"{name}-onnx.py"] = onnx_script(f"models/{name}", delivery, context)
    found["README.md"] = readme(delivery, sorted(found))
    return dict(sorted(found.items()))


def modelfile(path: str, delivery: Delivery, context: int, license: str | None) -> str:
    """An Ollama Modelfile. TEMPLATE is the task's prompt, raw, so that no chat template is guessed; without it the answers are gibberish.

    A prompt that does more than put the input in one place cannot be said in Ollama's language; then the template is the bare
    `{{ .Prompt }}`, and the caller renders it.
    """
    lines = [
        "# ollama create NAME -f this file, from the folder serve/",
        f"FROM ../{path}",
        f"TEMPLATE {_ollama(simple_template(delivery) or '{{ .Prompt }}')}",
        f"PARAMETER temperature {delivery.decoding.temperature:g}",
        f"PARAMETER num_predict {delivery.decoding.max_tokens}",
        f"PARAMETER num_ctx {context}",
    ]
    lines += [f"PARAMETER stop {json.dumps(stop, ensure_ascii=False)}" for stop in delivery.decoding.stop]
    if license:
        lines.append(f"LICENSE {_ollama(license)}")
    return "\n".join(lines) + "\n"


def simple_template(delivery: Delivery) -> str | None:
    """The prompt in Go's template language, when it is text around one `{{ input }}` and nothing else."""
    if delivery.task is None:
        return None
    parts = re.split(r"\{\{\s*" + re.escape(delivery.task.input) + r"\s*\}\}", delivery.task.prompt)
    if len(parts) != 2 or any(mark in part for part in parts for mark in ("{{", "{%", "{#", '"""')):
        return None
    return parts[0] + "{{ .Prompt }}" + parts[1]


def llama_server(path: str, context: int) -> str:
    """A shell script that serves one GGUF on the loopback address."""
    return (
        "#!/bin/sh\n"
        "# Serves on http://127.0.0.1:8080; further options are passed on. Use POST /completion with the rendered prompt:\n"
        "# the chat endpoints would wrap it in a chat template that the student was not trained with.\n"
        "set -eu\n"
        'here=$(cd "$(dirname "$0")" && pwd)\n'
        f'exec llama-server --model "$here"/../{shlex.quote(path)} --host 127.0.0.1 --port 8080 --ctx-size {context} "$@"\n'
    )


def onnx_script(path: str, delivery: Delivery, context: int) -> str:
    """A Python script that answers one prompt with onnxruntime-genai."""
    return (
        '"""Answers one prompt: python THIS_FILE "the rendered prompt" (pip install onnxruntime-genai)."""\n\n'
        "import sys\nfrom pathlib import Path\n\nimport onnxruntime_genai as og\n\n"
        f"MAX_TOKENS = {delivery.decoding.max_tokens}\nSTOP = {list(delivery.decoding.stop)!r}\n\n"
        f"model = og.Model(str(Path(__file__).parent.parent / {path!r}))\n"
        "tokenizer = og.Tokenizer(model)\n"
        "ids = tokenizer.encode(sys.argv[1])\n"
        "parameters = og.GeneratorParams(model)\n"
        f"parameters.set_search_options(max_length=min(len(ids) + MAX_TOKENS, {context}), do_sample=False)\n"
        "generator = og.Generator(model, parameters)\n"
        "generator.append_tokens(ids)\n"
        "while not generator.is_done():\n    generator.generate_next_token()\n"
        "answer = tokenizer.decode(generator.get_sequence(0)[len(ids) :])\n"
        "for stop in STOP:\n    answer = answer.split(stop)[0]\n"
        "print(answer.strip())\n"
    )


def readme(delivery: Delivery, names: list[str]) -> str:
    """How to use what lies beside it."""
    lines = ["# Serving", "", "Every export was evaluated on raw completions: the prompt below, and nothing around it.", ""]
    if delivery.task:
        fence = "````" if "```" in delivery.task.prompt else "```"
        lines += [fence, delivery.task.prompt, fence, "", f"`{{{{ {delivery.task.input} }}}}` stands for the input.", ""]
    for name in names:
        if name.endswith(".Modelfile"):
            lines.append(f"- Ollama: `ollama create {_word(delivery.name)} -f {name}`, then `ollama run {_word(delivery.name)}`.")
            if simple_template(delivery) is None:
                lines.append("  Its template is the bare prompt: render the prompt yourself.")
        elif name.endswith(".sh"):
            lines.append(f"- llama.cpp: `sh {name}`, then")
            lines.append(
                '  `curl 127.0.0.1:8080/completion -d \'{"prompt": "…", "n_predict": '
                + str(delivery.decoding.max_tokens)
                + ', "temperature": 0}\'`.'
            )
        elif name.endswith(".py"):
            lines.append(f'- onnxruntime-genai: `python {name} "…"`.')
    lines += ["", "`../golden.jsonl`, where there is one, has prompts with their token ids and the answers that each export gave here."]
    return "\n".join(lines) + "\n"


def _gguf(name: str, model: Model) -> str:
    found = [path for path, _ in bundle.files(model.folder) if PurePosixPath(path).suffix == ".gguf"]
    if len(found) != 1:
        raise StageFailed(f"export '{name}' has {len(found)} .gguf files, not one", help="remove what does not belong to it")
    return found[0]


def _ollama(text: str) -> str:
    return '"""' + text.replace('"""', "'''") + '"""'


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-.") or "student"
