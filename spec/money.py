"""Money in words."""

from decimal import Decimal


def dollars(amount: Decimal) -> str:
    """Exact, with two decimals or more: `$4.90`, `$0.000026`."""
    digits = amount.normalize()
    return f"${digits:f}" if int(digits.as_tuple().exponent) < -2 else f"${digits:.2f}"
