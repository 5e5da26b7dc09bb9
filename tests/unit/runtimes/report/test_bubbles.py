"""Labels on the picture never cover each other."""

from hypothesis import given, settings
from hypothesis import strategies as st

from distillc.runtimes.report.bubbles import HEIGHT, WIDTH, Box, Bubble, draw, place_labels

AREA = Box(60, 10, WIDTH - 4, HEIGHT - 50)
spot = st.tuples(st.floats(80, WIDTH - 60), st.floats(30, HEIGHT - 70), st.floats(4, 34))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.text("abcmw_019.", min_size=1, max_size=14), spot), min_size=2, max_size=12))
def test_labels_are_pairwise_apart_and_inside(entries: list[tuple[str, tuple[float, float, float]]]) -> None:
    boxes = place_labels([name for name, _ in entries], [at for _, at in entries], AREA)
    assert all(box.inside(AREA) for box in boxes)
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.meets(b)]


def test_twelve_systems_on_one_spot_still_have_their_labels() -> None:
    names = [f"system-{i}" for i in range(12)]
    boxes = place_labels(names, [(500.0, 200.0, 20.0)] * 12, AREA)
    assert not [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.meets(b)]


def test_the_area_of_a_bubble_is_its_size() -> None:
    pair = [Bubble("a", "student", 0.5, None, None, 10.0, 400), Bubble("b", "teacher", 0.6, None, None, 100.0, 100)]
    drawing = str(draw(pair, "f"))
    radii = [float(part.split('"')[1]) for part in drawing.split(" r=")[1:]]
    assert sorted(radii) == [17.0, 34.0]


def test_no_latency_no_picture() -> None:
    assert draw([], "f") is None
    assert draw([Bubble("a", "student", 0.5, None, None, 0.0, 1)], "f") is None
