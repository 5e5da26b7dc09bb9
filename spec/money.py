"""Money, exact: what tokens cost, and amounts in words."""

from decimal import Decimal


def exact(price: float | str | Decimal) -> Decimal:
    """The decimal that somebody wrote, and not the float nearest to it."""
    return Decimal(str(price))


def cost(tokens: int, price: Decimal) -> Decimal:
    """Of tokens at so much for a million of them."""
    return (price * tokens).scaleb(-6)


def dollars(amount: Decimal) -> str:
    """Exact, with two decimals or more: `$4.90`, `$0.000026`."""
    digits = amount.normalize()
    return f"${digits:f}" if int(digits.as_tuple().exponent) < -2 else f"${digits:.2f}"


def roughly(amount: Decimal) -> str:
    """To three digits that count, or to the cent, for what is estimated: `$0.0305`, `$7.30`."""
    return f"${amount:,.{max(2, 2 - amount.adjusted()) if amount else 2}f}"
