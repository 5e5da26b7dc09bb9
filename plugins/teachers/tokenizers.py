"""Byte-level BPE tokenizers written as the files of a Hugging Face folder."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from tokenizers import AddedToken, Regex, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import BPE

from distillc.spec.errors import StageFailed

LLAMA3 = ("llama-bpe", "llama3")
# How a text is cut before the merges, by the name that llama.cpp has for it (`tokenizer.ggml.pre`, llama-vocab.cpp). Digits stand
# alone under "smollm": with the plain cut "2024" would be one token here and four there.
_LLAMA3_CUT = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"


def _cut(pre: str) -> pre_tokenizers.PreTokenizer:
    if pre in ("gpt-2", "default"):
        return pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    if pre == "smollm":
        digits = pre_tokenizers.Digits(individual_digits=True)
        return pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    if pre in LLAMA3:
        split = pre_tokenizers.Split(Regex(_LLAMA3_CUT), behavior="isolated")
        return pre_tokenizers.Sequence([split, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    raise StageFailed(
        f"the GGUF cuts text as {pre!r}, which is not known here",
        help="convert it to a Hugging Face folder elsewhere and give that as `path`",
    )


def byte_level(
    tokens: Sequence[str], merges: Sequence[tuple[str, str]], *, pre: str, special: Sequence[str], added: Sequence[str] = ()
) -> Tokenizer:
    """A tokenizer whose ids are the places of `tokens`. `special` ones are never made by merges and are left out of decoded text."""
    vocabulary = {token: index for index, token in enumerate(tokens)}
    # Llama 3 takes a word that is a token as it is: its merges do not reach them all.
    tokenizer = Tokenizer(BPE(vocab=vocabulary, merges=list(merges), fuse_unk=False, ignore_merges=pre in LLAMA3))
    tokenizer.pre_tokenizer = _cut(pre)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in special])
    tokenizer.add_tokens([AddedToken(token, normalized=False, special=False) for token in added])
    return tokenizer


def write(tokenizer: Tokenizer, out: Path, *, settings: Mapping[str, object], chat_template: str | None = None) -> None:
    """tokenizer.json and its config; the class is the one that reads tokenizer.json as it stands and rebuilds nothing."""
    (out / "tokenizer.json").write_text(tokenizer.to_str(pretty=False), encoding="utf-8")
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": False, **settings}
    (out / "tokenizer_config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    if chat_template is not None:
        (out / "chat_template.jinja").write_text(chat_template, encoding="utf-8")
