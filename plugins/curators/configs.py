"""What a spec may say about each curator."""

from pydantic import Field

from distillc.spec.fields import Config, RowsRef


class DedupConfig(Config):
    similarity: float = Field(
        default=0.85,
        gt=0,
        le=1,
        description="two inputs with at least this Jaccard similarity (of 5-character shingles) are duplicates; 1 means equal ones alone",
    )


class LengthConfig(Config):
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        description="tokens of the longest target: as counted by its model, else one for 4 characters, at least one a word",
    )
    min_words: int | None = Field(default=None, ge=1, description="words of the shortest input and target")
    max_words: int | None = Field(default=None, ge=1, description="words of the longest input and target")


class DecontaminateConfig(Config):
    against: tuple[RowsRef, ...] = Field(min_length=1, description="rows that nothing kept may repeat, such as test sets")
    ngram: int = Field(
        default=13, ge=1, description="so many words in a row in common are a leak; texts that are shorter leak when they are equal"
    )
