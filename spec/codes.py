"""Every code that a finding can have, and its name. What it means, its rule's docstring says, or `spec/texts/NAME.md` where none finds it.

The language's own have numbers from x00, the compiler's from x50. Both stand here because a spec and its comments may name both.
"""

from collections.abc import Mapping
from typing import NamedTuple


class Code(NamedTuple):
    """`module`: the rule that makes the finding, whose docstring explains it (`spec/explanation.py`).

    A `binding` error can be neither ignored nor lowered: no plan can be made, or no run can end well, while it stands. Those without a
    rule (text, shape, names) all are, but for one that only `warns`. A rule's that also `warns` is certain of some cases alone. What is
    a judgement is a warning, and rules that do not bind give nothing else. `last`: asked when all other rules have spoken.
    """

    name: str
    module: str | None = None
    binding: bool = False
    last: bool = False
    warns: bool = False


def _rule(name: str, *, binding: bool = False, warns: bool = False, last: bool = False) -> Code:
    return Code(name.replace("_", "-"), f"distillc.spec.rules.{name}", binding, last, warns)


def _compiler_rule(name: str, *, binding: bool = False, warns: bool = False) -> Code:
    return Code(name.replace("_", "-"), f"distillc.compiler.rules.{name}", binding, warns=warns)


def is_binding(code: str) -> bool:
    """Whether its errors are always shown."""
    known = ALL_CODES.get(code)
    return known is None or known.binding or (known.module is None and not known.warns)


def is_certain(code: str) -> bool:
    """Whether all that it finds is always shown, so that there is nothing to ignore."""
    return is_binding(code) and not (code in ALL_CODES and ALL_CODES[code].warns)


# D0xx text and paths · D1xx shape · D2xx names · D3xx data · D4xx training · D5xx models, exports · D6xx proof
# D7xx delivery · D8xx licenses, security, money · D9xx the linter itself
CODES: Mapping[str, Code] = {
    "D000": Code("unreadable"),
    "D001": Code("syntax-error"),
    "D002": Code("not-text"),
    "D003": Code("tab"),
    "D004": Code("too-large"),
    "D005": Code("too-deep"),
    "D006": Code("too-many-values"),
    "D007": Code("alias"),
    "D008": Code("duplicate-key"),
    "D009": Code("tag"),
    "D010": Code("bad-key"),
    "D011": Code("merge-key"),
    "D012": Code("several-documents"),
    "D013": Code("empty"),
    "D014": Code("hidden-character", warns=True),
    "D015": Code("unused-anchor", warns=True),
    "D016": Code("yaml-version"),
    "D020": Code("no-such-profile"),
    "D021": Code("no-such-path"),
    "D022": Code("extends"),
    "D023": Code("bad-override"),
    "D024": Code("undefined-value"),
    "D025": Code("value-loop"),
    "D026": Code("interpolation"),
    "D027": Code("matrix"),
    "D101": Code("unknown-key"),
    "D102": Code("missing-key"),
    "D103": Code("wrong-type"),
    "D104": Code("not-one-of"),
    "D105": Code("out-of-range"),
    "D106": Code("bad-form"),
    "D107": Code("unknown-plugin"),
    "D109": Code("reference-outside-secret"),
    "D111": Code("broken-plugin"),
    "D110": _rule("version", binding=True),
    "D201": _rule("undefined_name", binding=True),
    "D202": Code("wrong-kind"),
    "D203": _rule("duplicate_name", binding=True),
    "D204": _rule("cycle", binding=True),
    "D205": _rule("inline_secret", binding=True),
    "D206": Code("unknown-split"),
    "D207": _rule("metric_name", binding=True),
    "D208": _rule("unused_step"),
    "D209": _rule("same_step_twice"),
    "D210": _rule("named_twice"),
    "D211": _rule("profile_path_lost"),
    "D301": _rule("split_without_rows", binding=True),
    "D302": _rule("prompt_without_input", binding=True),
    "D303": _rule("prompt_name", binding=True),
    "D304": _rule("prompt_ends_in_space"),
    "D305": _rule("prompt_begins_with_bos"),
    "D306": _rule("backslash_in_quotes"),
    "D307": _rule("field_names", binding=True),
    "D308": _rule("split_group", binding=True, warns=True),
    "D309": _rule("no_rows_left", binding=True),
    "D310": _rule("ranges_meet"),
    "D311": _rule("limit_without_effect"),
    "D312": _rule("no_targets", binding=True),
    "D313": _rule("answers_lost"),
    "D314": _rule("decontaminated_of_training"),
    "D315": _rule("test_set_left_out"),
    "D316": _rule("answers_cut_short"),
    "D317": _rule("hot_decoding"),
    "D318": _rule("empty_range", binding=True),
    "D319": _rule("panel", binding=True),
    "D401": _rule("early_stopping", binding=True),
    "D402": _rule("last_weights"),
    "D403": _rule("epochs_and_steps"),
    "D405": _rule("loss_weights", binding=True, warns=True),
    "D406": _rule("thin_signals"),
    "D407": _rule("learns_from_itself", binding=True, warns=True),
    "D408": _rule("learning_rate"),
    "D409": _rule("few_steps"),
    "D410": _rule("evaluated_once"),
    "D411": _rule("unmatched_capture"),
    "D412": _rule("untrained_student"),
    "D413": _rule("smoothed_teacher"),
    "D501": _rule("quantized_twice"),
    "D502": _rule("keys_of_int4"),
    "D503": _rule("name_says_another_type"),
    "D504": _rule("random_teacher"),
    "D505": _rule("kept_layers", binding=True),
    "D601": _rule("gate_outside", binding=True),
    "D602": _rule("teacher_not_evaluated"),
    "D603": _rule("no_baseline"),
    "D604": _rule("gate_against_itself", binding=True),
    "D605": _rule("margin_out_of_scale", binding=True, warns=True),
    "D606": _rule("superiority_over_source"),
    "D607": _rule("gate_sides_swapped"),
    "D608": _rule("claim_twice"),
    "D609": _rule("test_set_twice"),
    "D610": _rule("nothing_judged"),
    "D611": _rule("few_timings"),
    "D612": _rule("unequal_threads"),
    "D613": _rule("chosen_on_test", binding=True),
    "D701": _rule("deployed_unevaluated"),
    "D702": _rule("deployed_without_gate"),
    "D703": _rule("gate_of_another_model"),
    "D704": _rule("untrained_delivered"),
    "D705": _rule("deploy_over_inputs", binding=True),
    "D706": _rule("context_below_answer"),
    "D801": _rule("license_name"),
    "D802": _rule("path_of_one_machine"),
    "D900": Code("not-carried-out"),
    "D901": _rule("unknown_code"),
    "D902": _rule("cannot_be_ignored"),
    "D903": _rule("malformed_ignore"),
    "D904": _rule("unused_ignore", last=True),
}

# What it takes the plan, facts or capabilities to see.
COMPILER_CODES: Mapping[str, Code] = {
    "D150": Code("plugin-config"),
    "D151": _compiler_rule("unsupported", binding=True),
    "D152": _compiler_rule("missing_extra", binding=True),
    "D153": Code("missing-file"),
    "D350": _compiler_rule("test_meets_training", binding=True, warns=True),
    "D351": _compiler_rule("validation_meets_training"),
    "D352": _compiler_rule("context_too_short"),
    "D450": _compiler_rule("teacher_signals", binding=True),
    "D451": _compiler_rule("soft_targets", binding=True),
    "D452": _compiler_rule("temperature_grid", binding=True),
    "D453": _compiler_rule("tokenizer_mismatch", binding=True, warns=True),
    "D454": _compiler_rule("trains_on_held_out", binding=True, warns=True),
    "D455": _compiler_rule("trainer_limits", binding=True, warns=True),
    "D456": _compiler_rule("top_logprobs", binding=True),
    "D550": _compiler_rule("block_width"),
    "D551": _compiler_rule("no_engine", binding=True),
    "D552": _compiler_rule("needs_weights", binding=True),
    "D553": _compiler_rule("too_many_layers", binding=True),
    "D554": _compiler_rule("larger_student"),
    "D555": _compiler_rule("unread_architecture", binding=True),
    "D556": _compiler_rule("frozen_layers", binding=True),
    "D557": _compiler_rule("undeployed_model"),
    "D650": _compiler_rule("judge_family"),
    "D651": _compiler_rule("deploy_path", binding=True),
    "D652": _compiler_rule("value_twice", binding=True),
    "D653": _compiler_rule("own_judge"),
    "D654": _compiler_rule("undecided_gate"),
    "D655": _compiler_rule("metric_value", binding=True),
    "D850": _compiler_rule("teacher_license"),
    "D851": _compiler_rule("no_price", binding=True),
    "D852": _compiler_rule("old_price"),
    "D853": _compiler_rule("budget_below_answers"),
    "D854": _compiler_rule("outside_region", binding=True),
    "D855": _compiler_rule("kept_by_service"),
    "D856": _compiler_rule("key_unencrypted", binding=True, warns=True),
}

ALL_CODES: Mapping[str, Code] = {**CODES, **COMPILER_CODES}

HIDDEN_CODES = frozenset({"D205"})
"""Findings whose place must not be shown in an excerpt: a secret stands there."""

PAGES = "docs/rules/"
"""Where the pages of the codes are: a folder of the repository, until there is a site. An absolute URL makes them links."""


def page(code: str) -> str:
    """The page that explains a code."""
    return f"{PAGES}{code}.md"
