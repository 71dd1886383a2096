"""How amounts are said to people."""


def plural(count: int, one: str, many: str | None = None) -> str:
    """`1 contact`, `2 contacts`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def seconds(amount: float) -> str:
    """A duration as people say it, rounded."""
    if amount < 1:
        return "<1 s"
    if amount < 90:
        return f"{amount:.0f} s"
    minutes = round(amount / 60)
    return f"{minutes} min" if minutes < 90 else f"{amount / 3600:.1f} h"
