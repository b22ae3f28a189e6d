"""How many decimals each currency has: as it was first written here, else as ISO 4217 says today.

The standard's list changes: a currency that a country gives up leaves it, and what was written in
it stays. So whatever was ever used is kept in the database, and each process reads that when it
connects (`store.currencies`). The list of today is asked for what is new.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import iso4217


def listed(currency: str) -> int | None:
    """The decimals by the list of today; None where it lacks the code, or the code has none."""
    try:
        places: int | None = iso4217.Currency(currency).exponent
    except ValueError:
        return None
    return places


class Currencies:
    """The decimals that this process knows. Those that are in the database never change."""

    def __init__(self) -> None:
        self._known: dict[str, int] = {}
        self._to_keep: dict[str, int] = {}
        self.missed = False
        """A code was asked for that nobody here knows: another process may have kept it since."""

    def decimals(self, currency: str) -> int | None:
        """The decimals of a currency; None where neither the kept ones nor the list have it."""
        found = self._known.get(currency)
        if found is None:
            found = listed(currency)
            if found is None:
                self.missed = True
            else:
                self._known[currency] = self._to_keep[currency] = found
        return found

    @property
    def are_due(self) -> bool:
        """Whether something is to be kept, or to be looked for among what others have kept."""
        return self.missed or bool(self._to_keep)

    def known(self) -> Mapping[str, int]:
        """All that is known here."""
        return dict(self._known)

    def kept(self, kept: Mapping[str, int]) -> None:
        """These are in the database. They count, whatever the list says."""
        self._known.update(kept)
        self._to_keep = {code: n for code, n in self._to_keep.items() if code not in kept}
        self.missed = False


CURRENCIES: Final = Currencies()
