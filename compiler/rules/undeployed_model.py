"""A model is asked for answers, and its platform serves it only once it is deployed.

Why: some platforms answer by a tuned model as soon as it is tuned. Others keep its weights, and every call is a 404 until somebody deploys
them under a name of their own: the run then ends with the training paid for and nothing evaluated. What is tuned is kept, and nothing is
trained twice for it.

Example:

    models: {open: {uses: nebius, name: Qwen/Qwen3-4B}}
    train: {tuned: {model: open, data: clean, lora: {r: 16, alpha: 16}, trainer: nebius.fine_tuning, losses: {hard: cross_entropy}}}
    evaluate: {test: {data: pairs, models: [open, tuned], metrics: [exact_match]}}

Use instead:

    models:
      open: {uses: nebius, name: Qwen/Qwen3-4B}
      served: {uses: nebius, name: "Qwen/Qwen3-4B-LoRa:tuned-Ab1z"}     # once it is deployed: the platform says the name
    train: {tuned: {model: open, data: clean, lora: {r: 16, alpha: 16}, trainer: nebius.fine_tuning, losses: {hard: cross_entropy}}}
    evaluate: {test: {data: pairs, models: [open, served], metrics: [exact_match]}}
"""

from collections.abc import Iterator

from distillc.compiler.outline import Outline
from distillc.compiler.rules import warning
from distillc.compiler.rules.no_engine import asked
from distillc.spec.diagnostic import Diagnostic


def check(outline: Outline) -> Iterator[Diagnostic]:
    for name, where in asked(outline).items():
        model = outline.models[name]
        if model.section == "train" and outline.capabilities("trainers", model.uses).get("needs_deployment"):
            message = f"`{name}` is tuned by `{model.uses}`, and answers 404 until it is deployed there"
            help = f"run it `--until {name}`, deploy the `source` in its fine_tuning.json, and name what is served under `models:`"
            yield warning(outline, "D557", where, message, help)
