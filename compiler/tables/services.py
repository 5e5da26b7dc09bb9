"""What is known of services that run models for others: `services.json`, their addresses, where these are, and what they keep.

A model is given as the fields of its entry: `uses`, `name`, `base_url`, `region`. The `plugin` of a service knows its addresses itself.
"""

import json
from collections.abc import Mapping
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

Fields = Mapping[str, Any]


def service_of(model: Fields) -> str | None:
    """Whose API it is: the plugin's own, or that of its address."""
    host = host_of(model)
    own = next((name for name, one in _table().items() if one.get("plugin") == model["uses"]), None)
    return own or next((name for name, one in _table().items() if host in one["hosts"]), None)


def region_of(model: Fields) -> str | None:
    """Where it runs: of an address that is known, what is known; of another what the entry says. None where nobody says it."""
    host = host_of(model)
    known = next((one["hosts"][host] for one in _table().values() if host in one["hosts"]), None)
    plugins = {one.get("plugin") for one in _table().values()}
    own = model["uses"] in plugins and model.get("base_url")  # its `region` picks an address, which is not asked then
    region = known or (None if own else model.get("region"))
    return str(region) if region else None


def keeps(service: str) -> tuple[str, str] | None:
    """What a service is called, and what it keeps of what it is sent, with source and date; None where nothing is known."""
    found = _table().get(service)
    return (found["title"], f"{found['keeps']} ({found['source']}, as of {found['checked']})") if found else None


def is_ours(model: Fields) -> bool:
    """Whether its address is of this machine or of a private network: nothing leaves the house."""
    address = address_of(model)
    return host_of(model) == "localhost" or (address is not None and not address.is_global)


def address_of(model: Fields) -> IPv4Address | IPv6Address | None:
    """The address that its URL has in place of a name."""
    try:
        return ip_address(host_of(model) or "")
    except ValueError:
        return None


def host_of(model: Fields) -> str | None:
    try:
        return urlsplit(str(model.get("base_url") or "")).hostname
    except ValueError:
        return None


@cache
def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_bytes())
    return found
