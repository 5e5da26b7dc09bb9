"""What is known of services: whose an address is, where it is, what it asks for."""

from datetime import date
from typing import Any

import pytest

from distillc.compiler.tables.prices import _table as prices
from distillc.compiler.tables.prices import listed_price
from distillc.compiler.tables.services import _table as services
from distillc.compiler.tables.services import is_ours, keeps, region_of, service_of

US = "https://api.tokenfactory.us-central1.nebius.com/v1"


@pytest.mark.parametrize(
    ("model", "service", "region"),
    [
        ({"uses": "nebius", "region": "eu-west1", "base_url": None}, "nebius", "eu-west1"),
        ({"uses": "nebius", "region": "eu-north1", "base_url": US}, "nebius", "us-central1"),
        ({"uses": "nebius", "region": "eu-north1", "base_url": "https://x.example/v1"}, "nebius", None),
        ({"uses": "openai", "base_url": US}, "nebius", "us-central1"),
        ({"uses": "openai", "base_url": US, "region": "eu"}, "nebius", "us-central1"),
        ({"uses": "openai", "base_url": "https://x.example/v1", "region": "eu"}, None, "eu"),
        ({"uses": "openai", "base_url": "https://x.example/v1"}, None, None),
        ({"uses": "openai", "base_url": "https://api.openai.com/v1"}, "openai", None),
        ({"uses": "openai", "base_url": "https://api.openai.com/v1", "region": "us"}, "openai", "us"),
        ({"uses": "openai", "base_url": "https://eu.api.openai.com/v1"}, "openai", "eu"),
        ({"uses": "openai", "base_url": "https://api.tokenfactory.nebius.com.x.example/v1"}, None, None),
    ],
)
def test_what_an_address_is_known_for_goes_before_what_its_entry_says(
    model: dict[str, Any], service: str | None, region: str | None
) -> None:
    assert (service_of(model), region_of(model)) == (service, region)


@pytest.mark.parametrize(
    ("url", "ours"),
    [
        ("http://localhost:8080/v1", True),
        ("http://127.0.0.1/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://10.1.2.3/v1", True),
        ("http://8.8.8.8/v1", False),
        ("https://localhost.example/v1", False),
        ("https://[broken/v1", False),
    ],
)
def test_this_machine_and_private_networks_are_ours(url: str, ours: bool) -> None:
    assert is_ours({"uses": "openai", "base_url": url}) == ours


def test_the_recorded_price_is_listed_with_its_day() -> None:
    """$0.2 and $0.6 per million tokens, twice what the walk-through paid for a batch."""
    model = {"uses": "nebius", "name": "Qwen/Qwen3-235B-A22B", "region": "eu-north1", "base_url": None}
    assert listed_price(model) == {"input": 0.2, "output": 0.6, "date": "2025-07-24"}
    assert listed_price({**model, "uses": "openai", "base_url": "https://x.example/v1"}) is None
    assert listed_price({**model, "name": "Qwen/Qwen3-4B"}) is None


def test_what_a_service_keeps_has_a_day_and_a_source() -> None:
    for name, service in services().items():
        title, kept = keeps(name) or ("", "")
        assert title == service["title"] and kept.endswith(f"({service['source']}, as of {service['checked']})")
        assert date.fromisoformat(service["checked"]) <= date.today() and service["source"].startswith("https://")


def test_every_price_has_a_day_and_a_source() -> None:
    for price in prices():
        assert date.fromisoformat(price["date"]) <= date.today()
        assert price["source"].startswith("https://")
        assert 0 <= price["input"] <= price["output"]
