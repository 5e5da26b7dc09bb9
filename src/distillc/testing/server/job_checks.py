"""What fine-tuning requests and their data sets must have: fields, ranges, rows. An unknown hyperparameter is an error at OpenAI alone."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from distillc.testing.server.chat import text_of
from distillc.testing.server.refused import Refused, invalid
from distillc.testing.server.script import Dialect
from distillc.testing.server.texts import count

# Name: default, least, most. The defaults are those that the recorded job was given, and `lora` is off: that tunes all weights.
_NEBIUS: Mapping[str, tuple[float | bool, float, float]] = {
    "batch_size": (8, 1, 64),
    "learning_rate": (1e-5, 0, 1),
    "n_epochs": (3, 1, 20),
    "warmup_ratio": (0.0, 0, 1),
    "weight_decay": (0.0, 0, 1e9),
    "lora": (False, 0, 1),
    "lora_r": (8, 8, 128),
    "lora_alpha": (8, 8, 1e9),
    "lora_dropout": (0.0, 0, 1),
    "packing": (True, 0, 1),
    "max_grad_norm": (1.0, 0, 1e9),
    "context_length": (8192, 8192, 131_072),
}
_OTHERS: Mapping[str, tuple[float | bool, float, float]] = {
    "batch_size": (8, 1, 256),
    "learning_rate_multiplier": (1.0, 0, 1e9),
    "n_epochs": (3, 1, 50),
}


def hyperparameters(asked: object, dialect: Dialect) -> dict[str, float | bool]:
    """All of a job's hyperparameters, as the provider fills them in."""
    known = _NEBIUS if dialect == "nebius" else _OTHERS
    wanted = asked if isinstance(asked, dict) else {}
    if dialect == "openai" and (strange := sorted(set(wanted) - set(known))):
        raise Refused(400, f"Unknown parameter: 'hyperparameters.{strange[0]}'.", param=f"hyperparameters.{strange[0]}")
    filled: dict[str, float | bool] = {}
    for name, (default, low, high) in known.items():
        value = wanted.get(name)
        if value is None or value == "auto":
            filled[name] = default
        elif not isinstance(value, int | float) or not low <= value <= high:
            raise invalid(dialect, f"{name} must lie between {low:g} and {high:g}", f"hyperparameters.{name}", value)
        else:
            filled[name] = value
    return filled


@dataclass(frozen=True, slots=True)
class Data:
    """What a job reads: rows, their tokens, and what is wrong with the first bad one."""

    rows: int
    tokens: int
    wrong: str = ""


def read(path: Path) -> Data:
    rows = tokens = 0
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
                texts = (
                    [text_of(message["content"]) for message in row["messages"]]
                    if "messages" in row
                    else [row["prompt"], row["completion"]]
                )
                if "messages" in row and row["messages"][-1]["role"] != "assistant":
                    return Data(rows, tokens, f"line {number}: the last message must be the assistant's")
            except (ValueError, KeyError, IndexError, TypeError):
                return Data(rows, tokens, f"line {number} is no training example")
            rows += 1
            tokens += sum(count(text) for text in texts)
    return Data(rows, tokens, "" if rows else "the file has no examples")
