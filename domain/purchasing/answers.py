"""What a supplier has answered otherwise than ordered, and whether somebody agreed to it."""

from __future__ import annotations

from collections.abc import Iterable


def not_agreed(story: Iterable[tuple[str, str]]) -> list[str]:
    """How answers were not what was ordered, since somebody agreed last.

    `story`: what happened and why, oldest first. A later answer that is as expected does not take
    one back: it may be about another SKU.
    """
    found: list[str] = []
    for what, why in story:
        if what == "agreed":
            found = []
        elif what == "acknowledged" and why and why not in found:
            found.append(why)
    return found
