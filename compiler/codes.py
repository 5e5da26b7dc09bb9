"""Every code that the compiler can report beside those of the language (`spec/codes.py`): the second half of each hundred."""

from collections.abc import Mapping

from distillc.spec.codes import Code


def _rule(name: str) -> Code:
    return Code(name.replace("_", "-"), module=f"distillc.compiler.rules.{name}")


CODES: Mapping[str, Code] = {
    "D150": Code("plugin-config", "The plugin's own config class refuses a value that its JSON Schema could not."),
    "D151": _rule("unsupported"),
    "D152": _rule("missing_extra"),
    "D153": Code("missing-file", "A file or package that a step reads is not there, or cannot be read. Paths start at the spec's folder."),
    "D350": _rule("test_meets_training"),
    "D351": _rule("validation_meets_training"),
    "D450": _rule("teacher_signals"),
    "D451": _rule("soft_targets"),
    "D452": _rule("temperature_grid"),
    "D453": _rule("tokenizer_mismatch"),
    "D550": _rule("block_width"),
    "D551": _rule("no_engine"),
    "D552": _rule("needs_weights"),
    "D553": _rule("too_many_layers"),
    "D650": _rule("judge_family"),
    "D651": _rule("deploy_path"),
    "D652": _rule("value_twice"),
}
