"""Regular verbs that technical prose uses, and their forms. A list, because no rule leads from `stored` back to `store`."""


def _list(text: str) -> list[str]:
    return text.split()


_BASES = _list(
    "accept access accumulate act activate add adjust affect aggregate align allocate allow analyze append apply approximate arrange assert"
    " assign associate assume attach average avoid balance base behave belong bind block branch buffer build cache calculate call cancel"
    " capture cast change check choose clear clip clone close collapse collect combine compare compile complete compose compress compute"
    " concatenate configure connect consider consist construct consume contain continue contribute control converge convert copy correspond"
    " cover create declare decode decorate decrease define delegate delete deliver denote depend deprecate derive describe design detect"
    " determine disable discard display distribute divide document download drop duplicate edit enable encode encounter end enforce ensure"
    " enter estimate evaluate exclude execute expand expect expire explain export expose express extend extract fail filter finish fit fix"
    " flatten flush follow force format freeze fuse generate group guarantee guess handle happen hash hold identify ignore implement import"
    " improve include increase increment index indicate infer inherit initialize insert inspect install instantiate integrate intend"
    " interpolate interpret introduce invoke involve issue iterate join keep label launch limit link list listen load locate lock log look"
    " lower maintain manage map mark mask match measure merge minimize model modify move multiply name need normalize notify number observe"
    " obtain occur offer open optimize order organize override pack pad parse partition pass perform permit place plot pool populate"
    " precede prefer prepare present preserve prevent print process produce project propagate protect provide query raise reach receive"
    " recommend record reduce refer reflect register reject relate release rely remain remove rename render repeat replace replicate report"
    " represent request require reserve reset reshape resolve respect restore restrict result retrieve return reuse reverse round sample"
    " save scale scan schedule search select separate serialize share shift signal simplify skip solve sort specify split start state stop"
    " store stream subtract sum supply support suppress surround terminate test throw track train transfer transform translate transpose"
    " traverse treat trigger trim truncate turn unpack update upload use validate vary verify visit wait want work wrap yield"
)
_IRREGULAR = frozenset(_list("build bind choose hold keep override freeze reset split throw"))
_DOUBLED = frozenset(_list("clip control drop fit infer log map occur pad permit plot prefer refer skip stop sum transfer trim wrap"))
_OTHERS = _list("get give have make read run set take write mean become find do go know see come put begin")


def third(verb: str) -> str:
    """`use` → `uses`, `apply` → `applies`, `pass` → `passes`."""
    if verb == "have":
        return "has"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ies"
    return verb + ("es" if verb.endswith(("s", "x", "z", "ch", "sh", "o")) else "s")


def past(verb: str) -> str:
    """The regular past and participle: `use` → `used`, `apply` → `applied`, `map` → `mapped`."""
    if verb.endswith("e"):
        return verb + "d"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb[:-1] + "ied"
    return verb + (verb[-1] if verb in _DOUBLED else "") + "ed"


BY_PAST: dict[str, str] = {past(verb): verb for verb in _BASES if verb not in _IRREGULAR}
BY_THIRD: dict[str, str] = {third(verb): verb for verb in [*_BASES, *_OTHERS]}
BASES: frozenset[str] = frozenset([*_BASES, *_OTHERS])
