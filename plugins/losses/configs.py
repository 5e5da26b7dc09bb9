"""What a spec may say about each loss."""

from pydantic import Field

from distillc.spec.fields import Config


class CrossEntropyConfig(Config):
    label_smoothing: float = Field(default=0.0, ge=0, lt=1, description="share of the target's mass that is spread over the vocabulary")


class SoftConfig(Config):
    temperature: float = Field(
        default=1.0, gt=0, description="both distributions are flattened by it; the loss is multiplied by its square"
    )
    min_mass: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="least mass, at the temperature, that the teacher's kept ids must hold on average; the rest is one bucket",
    )


class ForwardKLConfig(SoftConfig):
    pass


class ReverseKLConfig(SoftConfig):
    pass


class JSDConfig(SoftConfig):
    beta: float = Field(
        default=0.5, gt=0, lt=1, description="the teacher's share in the mixture; near 0 like forward KL, near 1 like reverse"
    )
