"""Country names, as people write them, as ISO 3166 codes."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import pycountry

# Names in common use that the standard does not have.
_ALIASES: Final = {"UK": "GB", "USA": "US", "Venezuela": "VE"}


@lru_cache(maxsize=1000)
def country_code(name: str) -> str | None:
    """UK → GB, Brazil → BR; None for a name that no country has."""
    if name in _ALIASES:
        return _ALIASES[name]
    try:
        code: str = pycountry.countries.lookup(name).alpha_2
    except LookupError:
        return None
    return code
