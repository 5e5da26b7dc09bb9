"""Depth pruning: a student that is some of its teacher's layers, unchanged, with its embeddings, head and tokenizer.

The first layers turn tokens into features that all others build on, the last ones turn features into tokens: both are kept, and the
rest is thinned evenly. Sajjad et al.: On the Effect of Dropping Layers of Pre-trained Transformer Models, 2020, arXiv 2004.03844.
"""

import json
import re
import shutil
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import save_file

from distillc.plugins.api.artifacts import Model, ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.students.configs import PruneConfig
from distillc.spec.errors import StageFailed

_LAYER = re.compile(r"(?P<before>.*\blayers\.)(?P<number>\d+)(?P<after>\..*)")
_OWN = ("config.json", "distill.json", "model.safetensors.index.json")
_FIRST = 3  # kept whole; see the module's docstring


def spread(layers: int, of: int) -> list[int]:
    """Which layers are kept: 12 of 30 are 0, 1, 2, 5, 8 … 29."""
    if layers <= _FIRST:
        return [round(at * (of - 1) / max(layers - 1, 1)) for at in range(layers)]
    rest = layers - _FIRST
    return [*range(_FIRST), *(_FIRST - 1 + round(at * (of - _FIRST) / rest) for at in range(1, rest + 1))]


class Prune:
    def __init__(self, config: PruneConfig) -> None:
        self.config = config

    def build(self, model: Model, out: Path, context: BuildContext) -> ModelInfo:
        """Raises StageFailed where the model has fewer layers than are asked for, or `keep` names others."""
        config = json.loads((model.folder / "config.json").read_text(encoding="utf-8"))
        keep = self._keep(int(config["num_hidden_layers"]), context.name)
        config["num_hidden_layers"] = len(keep)
        if config.get("layer_types"):
            config["layer_types"] = [config["layer_types"][layer] for layer in keep]
        for path in sorted(model.folder.iterdir()):
            if path.suffix not in (".safetensors", ".gguf") and path.name not in (
                "config.json",
                "distill.json",
                "model.safetensors.index.json",
            ):
                shutil.copyfile(path, out / path.name)
        (out / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n", encoding="utf-8")
        place = {layer: index for index, layer in enumerate(keep)}
        weights = {}
        for path in sorted(model.folder.glob("*.safetensors")):
            with safe_open(path, framework="pt") as file:
                for name in file.keys():  # noqa: SIM118 - a safetensors file is no dict
                    found = _LAYER.fullmatch(name)
                    if found is None:
                        weights[name] = file.get_tensor(name)
                    elif int(found["number"]) in place:
                        weights[f"{found['before']}{place[int(found['number'])]}{found['after']}"] = file.get_tensor(name)
        save_file(weights, out / "model.safetensors", metadata={"format": "pt"})
        info = model.info
        return ModelInfo(
            format="hf",
            name=context.name,
            family=context.family or info.family,
            license=context.license or info.license,
            base=info.name,
            lineage=info.lineage,
            parameters=sum(values.numel() for values in weights.values()),
            precision=info.precision,
        )

    def _keep(self, of: int, name: str) -> list[int]:
        if self.config.keep is None:
            if self.config.layers > of:
                raise StageFailed(f"{self.config.layers} layers cannot be kept of {of}", where=name, help=f"set `layers` to {of} or fewer")
            return spread(self.config.layers, of)
        keep = sorted(set(self.config.keep))
        if len(keep) != self.config.layers or keep[0] < 0 or keep[-1] >= of:
            raise StageFailed(
                f"`keep` must name {self.config.layers} different layers of 0 to {of - 1}; it names {list(self.config.keep)}",
                where=name,
                help="leave `keep` out for an even spread, or correct it",
            )
        return keep
