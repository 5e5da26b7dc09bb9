"""Models that somebody else runs: all that lies here is where to ask."""

from pathlib import Path

from distillc.plugins.api.artifacts import ModelInfo
from distillc.plugins.api.models import BuildContext
from distillc.plugins.teachers.configs import NebiusConfig, OpenAIConfig
from distillc.runtimes.remote.endpoint import Endpoint

# https://docs.tokenfactory.nebius.com/ai-models-inference/dedicated-endpoints, read on 2026-11-24
REGIONS = {
    "eu-north1": "https://api.tokenfactory.nebius.com/v1",
    "eu-west1": "https://api.tokenfactory.eu-west1.nebius.com/v1",
    "us-central1": "https://api.tokenfactory.us-central1.nebius.com/v1",
}


class OpenAI:
    def __init__(self, config: OpenAIConfig) -> None:
        self.endpoint = Endpoint(base_url=config.base_url, name=config.name, dialect=config.dialect, system=config.system)

    def build(self, out: Path, context: BuildContext) -> ModelInfo:
        self.endpoint.write(out)
        return ModelInfo(format="api", name=context.name, family=context.family, license=context.license)


class Nebius(OpenAI):
    """The same, with the addresses of its regions."""

    def __init__(self, config: NebiusConfig) -> None:
        self.endpoint = Endpoint(
            base_url=config.base_url or REGIONS[config.region], name=config.name, dialect="nebius", system=config.system
        )
