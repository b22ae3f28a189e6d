"""Country names, as people write them, as the codes that orders hold."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import pycountry

from domain.fields import POSTAL_COUNTRIES
from domain.plain_text import one_line

# Names in common use that the standard does not have.
_ALIASES: Final = {
    **{name.casefold(): code for code, name in POSTAL_COUNTRIES.items()},
    **{code.casefold(): code for code in POSTAL_COUNTRIES},
    "brunei": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "cote d'ivoire": "CI",
    "curacao": "CW",
    "england": "GB",
    "great britain": "GB",
    "holland": "NL",
    "ivory coast": "CI",
    "macau": "MO",
    "macedonia": "MK",
    "micronesia": "FM",
    "palestine": "PS",
    "republic of korea": "KR",
    "republic of kosovo": "XK",
    "reunion": "RE",
    "russia": "RU",
    "scotland": "GB",
    "swaziland": "SZ",
    "the netherlands": "NL",
    "turkey": "TR",
    "u.k.": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "uk": "GB",
    "usa": "US",
    "vatican": "VA",
    "venezuela": "VE",
    "wales": "GB",
}


@lru_cache(maxsize=1000)
def country_code(name: str) -> str | None:
    """UK → GB, Brazil → BR, Kosovo → XK; None for a name that no country has."""
    name = one_line(name)
    if name.casefold() in _ALIASES:
        return _ALIASES[name.casefold()]
    try:
        code: str = pycountry.countries.lookup(name).alpha_2
    except LookupError:
        return None
    return code
