"""What is noticed while an edit is made: what changes, in words, and what cannot be changed."""

from __future__ import annotations

from domain.orders.edit_messages import Change, Obstacle


class Notes:
    """The changes and the obstacles of one edit, in their sequence."""

    def __init__(self) -> None:
        self.changes: list[Change] = []
        self.obstacles: list[Obstacle] = []

    def change(self, what: str, before: object = "", after: object = "") -> None:
        """Something changes. Without before and after it is about a person, and is not told."""
        self.changes.append(Change(what=what, before=str(before), after=str(after)))

    def refuse(self, what: str, why: str, *, reason: str, instead: tuple[str, ...] = ()) -> None:
        """Something cannot be changed."""
        self.obstacles.append(Obstacle(what=what, why=why, reason=reason, instead=instead))
