"""What the page shows beyond the table."""

from distillc.runtimes.report import details


def test_samples_are_the_furthest_and_the_nearest_that_were_changed() -> None:
    rows = [
        {"input": "a b", "target": "a b", "output": "a b"},
        {"input": "he go", "target": "he goes", "output": "he goes"},
        {"input": "x y z", "target": "x y w", "output": "q r s"},
        {"input": "no gold", "output": "no gold"},
    ]
    found = details.samples("q8", "seen", rows * 3)
    assert found["worst"][0] == {"input": "x y z", "target": "x y w", "output": "q r s"}
    assert found["best"][0]["output"] == "he goes"


def test_likeness_is_the_share_of_words_in_order() -> None:
    assert details.likeness("a b c", "a b c") == 1
    assert details.likeness("a b", "a c") == 0.5  # 2 · 1 / (2 + 2)


def test_the_metric_of_a_curve_is_the_one_that_was_followed() -> None:
    history = [{"step": 10, "train_loss": 1.0, "errant_f0.5": 0.2}]
    found = details.curves({"s": {"history": history, "steps": 10, "best_step": 10, "info": {}}}, ["exact_match", "errant_f0.5"])
    assert found["s"]["metric"] == "errant_f0.5"


def test_models_under_one_license_share_a_line() -> None:
    owed = details.owed([{"name": "a", "license": "Apache-2.0"}, {"name": "b", "license": "Apache-2.0"}, {"name": "c", "license": None}])
    assert [(entry["name"], entry["license"]) for entry in owed] == [("a, b", "Apache-2.0"), ("c", None)]
    assert "copy of the license" in owed[0]["obligations"][0]
