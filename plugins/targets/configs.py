"""What a spec may say to a target."""

from pydantic import Field

from distillc.spec.fields import Config


class BundleConfig(Config):
    path: str = Field(
        "dist",
        description="the folder to write, below the spec's; an earlier bundle there is replaced, anything else never",
        pattern=r"^[^/\\\x00-\x1f~][^\\\x00-\x1f]*$",
        max_length=200,
    )
    license: str | None = Field(
        None, description="the license that the exports are passed on under; default: that of the model they descend from"
    )
    limits: str | None = Field(None, description="a paragraph for the card: what the student should not be used for", max_length=4000)
    golden: bool = Field(True, description="write golden.jsonl: prompts, their token ids, and what each export answers")
    serve: bool = Field(True, description="write serve/: how to run each export with llama.cpp, Ollama or onnxruntime-genai")
    context: int = Field(2048, description="tokens of prompt and answer that the serving files reserve", ge=128, le=1048576)
