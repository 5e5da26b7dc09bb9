"""Families of models: names that mean one family, and families that descend from another.

As of 2026-11-24, from the model cards of the families. Grows by a line a family; a name that is not here stands for itself.
"""

ALIASES = {
    "smollm": "smollm",
    "smollm2": "smollm",
    "smollm3": "smollm",
    "llama2": "llama",
    "llama3": "llama",
    "llama-2": "llama",
    "llama-3": "llama",
    "llama-3.1": "llama",
    "llama-3.2": "llama",
    "llama-3.3": "llama",
    "qwen1.5": "qwen",
    "qwen2": "qwen",
    "qwen2.5": "qwen",
    "qwen3": "qwen",
    "gemma2": "gemma",
    "gemma3": "gemma",
    "gemma-2": "gemma",
    "gemma-3": "gemma",
    "mixtral": "mistral",
    "ministral": "mistral",
    "phi3": "phi",
    "phi4": "phi",
    "phi-3": "phi",
    "phi-4": "phi",
    "gpt-4": "gpt",
    "gpt-4o": "gpt",
    "gpt-5": "gpt",
    "gpt-oss": "gpt",
}

DESCENDS = {
    "vicuna": "llama",  # fine-tuned from Llama
    "deepseek-r1-distill-llama": "llama",
    "deepseek-r1-distill-qwen": "qwen",
    "zephyr": "mistral",
}


def kin(family: str) -> frozenset[str]:
    """A family under its one name, with those it descends from."""
    name = family.strip().lower()
    name = ALIASES.get(name, name)
    parent = DESCENDS.get(name)
    return frozenset({name, parent} if parent else {name})
