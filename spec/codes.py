"""Every code that a finding can have: its name, and what it means. Rules explain themselves in their module's docstring.

The language's own have numbers from x00, the compiler's from x50. Both stand here because a spec and its comments may name both.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """`text` explains; where a rule makes the finding, `module` is given instead and its docstring explains.

    A `binding` error can be neither ignored nor lowered: no plan can be made, or no run can end well, while it stands. Those without a
    rule (text, shape, names) all are. `last`: asked when all other rules have spoken.
    """

    name: str
    text: str = ""
    module: str | None = None
    binding: bool = False
    last: bool = False


def _rule(name: str, *, binding: bool = False, last: bool = False) -> Code:
    return Code(name.replace("_", "-"), module=f"distillc.spec.rules.{name}", binding=binding, last=last)


def _compiler_rule(name: str, *, binding: bool = False) -> Code:
    return Code(name.replace("_", "-"), module=f"distillc.compiler.rules.{name}", binding=binding)


def is_binding(code: str) -> bool:
    known = ALL_CODES.get(code)
    return known is None or known.module is None or known.binding


# D0xx text and paths · D1xx shape · D2xx names · D3xx data · D4xx training · D5xx models, exports · D6xx proof · D9xx the linter itself
CODES: Mapping[str, Code] = {
    "D000": Code("unreadable", "The file cannot be opened: it is not there, or this user may not read it."),
    "D001": Code("syntax-error", "The text is not YAML. Nothing else can be checked until it is."),
    "D002": Code("not-text", "The file is not UTF-8, or has control characters in it."),
    "D003": Code("tab", "YAML cannot be indented with tabs. Indent with spaces."),
    "D004": Code("too-large", "A spec has at most 1,000,000 bytes. Data belongs in data files that the spec names."),
    "D005": Code("too-deep", "A spec nests at most 64 levels."),
    "D006": Code("too-many-values", "A spec has at most 100,000 values, each alias counted as all that it stands for."),
    "D007": Code("alias", "An alias needs an anchor before it, cannot stand inside its own value, and there are at most 100 of them."),
    "D008": Code("duplicate-key", "A key stands twice in one mapping. YAML readers differ on which one wins, so neither does here."),
    "D009": Code("tag", "YAML tags can make objects of any kind in some readers. They are refused; types come from the language."),
    "D010": Code("bad-key", "A key must be a word, not a list, a mapping or nothing."),
    "D011": Code("merge-key", "`<<` belongs to YAML 1.1. Use `extends` or `profiles`, or write the keys out."),
    "D012": Code("several-documents", "A spec is one document: no second `---`."),
    "D013": Code("empty", "The file has no value in it. A spec begins with `distill: 1`."),
    "D020": Code("no-such-profile", "The profile that was asked for is not among `profiles`."),
    "D021": Code("no-such-path", "A path in a profile, in `--set` or in `matrix` begins with a section and leads to a value of this spec."),
    "D022": Code("extends", "`extends` names specs by relative paths. A file that is missing, absolute, or extends itself is refused."),
    "D023": Code("bad-override", "`--set` takes PATH=VALUE, where VALUE is YAML."),
    "D024": Code("undefined-value"),
    "D025": Code("value-loop"),
    "D026": Code("interpolation"),
    "D027": Code("matrix"),
    "D101": Code("unknown-key", "The key is not part of the language here. Nothing is silently ignored."),
    "D102": Code("missing-key", "A key that must be there is not."),
    "D103": Code(
        "wrong-type", "The value is of another type than the key wants. YAML 1.2 decides what a bare word is: `no` is a text, `010` is 10."
    ),
    "D104": Code("not-one-of", "The value is not among those that the key takes."),
    "D105": Code("out-of-range", "A number or a length is outside its limits."),
    "D106": Code("bad-form", "A text does not have the form that the key wants."),
    "D107": Code("unknown-plugin", "No plugin of that kind and name is installed. `distillc plugins` lists those that are."),
    "D109": Code("reference-outside-secret", "`${env:…}` and its kin stand for secrets, and only in fields typed secret."),
    "D111": Code("broken-plugin", "The plugin is installed and cannot be used with this version of distillc."),
    "D110": _rule("version", binding=True),
    "D201": _rule("undefined_name", binding=True),
    "D202": Code("wrong-kind", "The name is defined, and is something else: rows where a model is wanted, a model where a gate is."),
    "D203": _rule("duplicate_name", binding=True),
    "D204": _rule("cycle", binding=True),
    "D205": _rule("inline_secret", binding=True),
    "D206": Code("unknown-split", "A split is one of train, validation and test: `NAME.test`. Models and gates have none."),
    "D207": _rule("metric_name", binding=True),
    "D208": _rule("unused_step"),
    "D209": _rule("same_step_twice"),
    "D210": _rule("named_twice"),
    "D211": _rule("profile_path_lost"),
    "D301": _rule("split_without_rows", binding=True),
    "D302": _rule("prompt_without_input"),
    "D303": _rule("prompt_name", binding=True),
    "D304": _rule("prompt_ends_in_space"),
    "D305": _rule("prompt_begins_with_bos"),
    "D306": _rule("backslash_in_quotes"),
    "D307": _rule("field_names", binding=True),
    "D308": _rule("split_group", binding=True),
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
    "D401": _rule("early_stopping"),
    "D402": _rule("last_weights"),
    "D403": _rule("epochs_and_steps"),
    "D404": _rule("trains_on_held_out"),
    "D405": _rule("loss_weights"),
    "D406": _rule("thin_signals"),
    "D407": _rule("learns_from_itself"),
    "D408": _rule("learning_rate"),
    "D409": _rule("few_steps"),
    "D410": _rule("evaluated_once"),
    "D411": _rule("unmatched_capture"),
    "D412": _rule("untrained_student"),
    "D413": _rule("smoothed_teacher"),
    "D601": _rule("gate_outside", binding=True),
    "D900": Code("not-carried-out"),
    "D901": _rule("unknown_code"),
    "D902": _rule("cannot_be_ignored"),
    "D903": _rule("malformed_ignore"),
    "D904": _rule("unused_ignore", last=True),
}

# What it takes the plan, facts or capabilities to see.
COMPILER_CODES: Mapping[str, Code] = {
    "D150": Code("plugin-config", "The plugin's own config class refuses a value that its JSON Schema could not."),
    "D151": _compiler_rule("unsupported", binding=True),
    "D152": _compiler_rule("missing_extra", binding=True),
    "D153": Code("missing-file", "A file or package that a step reads is not there, or cannot be read. Paths start at the spec's folder."),
    "D350": _compiler_rule("test_meets_training"),
    "D351": _compiler_rule("validation_meets_training"),
    "D352": _compiler_rule("context_too_short"),
    "D450": _compiler_rule("teacher_signals", binding=True),
    "D451": _compiler_rule("soft_targets", binding=True),
    "D452": _compiler_rule("temperature_grid", binding=True),
    "D453": _compiler_rule("tokenizer_mismatch"),
    "D550": _compiler_rule("block_width"),
    "D551": _compiler_rule("no_engine", binding=True),
    "D552": _compiler_rule("needs_weights", binding=True),
    "D553": _compiler_rule("too_many_layers", binding=True),
    "D554": _compiler_rule("larger_student"),
    "D555": _compiler_rule("unread_architecture", binding=True),
    "D650": _compiler_rule("judge_family"),
    "D651": _compiler_rule("deploy_path", binding=True),
    "D652": _compiler_rule("value_twice", binding=True),
    "D653": _compiler_rule("own_judge"),
    "D654": _compiler_rule("undecided_gate"),
    "D655": _compiler_rule("metric_value", binding=True),
    "D850": _compiler_rule("teacher_license"),
}

ALL_CODES: Mapping[str, Code] = {**CODES, **COMPILER_CODES}

PAGES = "docs/rules/"
"""Where the pages of the codes are: a folder of the repository, until there is a site. An absolute URL makes them links."""


def page(code: str) -> str:
    """The page that explains a code."""
    return f"{PAGES}{code}.md"
