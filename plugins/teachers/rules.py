"""Models that are rules: a name and a format, no files."""

from pathlib import Path

from distillc.plugins.api.artifacts import ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import RulesConfig


class Identity:
    """Answers with its input."""

    def __init__(self, config: RulesConfig) -> None:
        self.config = config

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        return ModelInfo(format="rules/identity", name=context.name, family=context.family, license=context.license)


class Harper:
    """Harper's first suggestions, applied until nothing is left to say."""

    def __init__(self, config: RulesConfig) -> None:
        self.config = config

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        return ModelInfo(
            format="rules/harper", name=context.name, family=context.family or "harper", license=context.license or "Apache-2.0"
        )
