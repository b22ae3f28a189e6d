"""What a shop may call our SKUs, and what it is told of a carrier."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from domain.faults import faults
from domain.shops.connections import NewShop, ShopOptions
from domain.shops.telling import carrier_name, levels_of, tracking_url


def test_a_sku_is_looked_for_under_its_aliases_and_its_own_name() -> None:
    options = ShopOptions(skus={"TEE": "TEA", "39072856": "TEA", "CUP": "MUG"})
    found = {level.sku: level.names for level in levels_of({"TEA": 1, "CUP": 2, "MUG": 3}, options)}
    # What the shop calls CUP is our MUG, so our own CUP has no name there.
    assert found == {"TEA": ("39072856", "TEE", "TEA"), "CUP": (), "MUG": ("CUP", "MUG")}


def test_a_carrier_has_the_name_and_the_address_that_the_shop_is_to_show() -> None:
    options = ShopOptions(
        carriers={"dhl_de": "DHL"}, tracking_urls={"dhl_de": "https://dhl.example/?n={number}"}
    )
    assert carrier_name("dhl_de", options) == "DHL"
    assert carrier_name("ups", options) == "ups"
    assert tracking_url("dhl_de", "T1", options) == "https://dhl.example/?n=T1"
    assert tracking_url("ups", "T1", options) == ""
    with pytest.raises(ValidationError, match="https address"):
        ShopOptions(tracking_urls={"dhl_de": "http://dhl.example/{number}"})


@pytest.mark.parametrize(
    ("kind", "access", "why"),
    [
        ("generic", {"token": "shpat_12345678"}, "cannot"),
        ("shopify", {"key": "ck_12345678", "secret": "cs_12345678"}, "needs token"),
        ("woocommerce", {"key": "ck_12345678"}, "needs key and secret"),
        ("woocommerce", {"key": "ck_12345678", "secret": "cs_1234\n5678"}, "printable"),
    ],
)
def test_access_fits_the_kind_of_shop(kind: str, access: dict[str, str], why: str) -> None:
    document = {
        "kind": kind,
        "secrets": ["whsec_" + "QUFB" * 10],
        "access": {"address": "https://shop.example", **access},
    }
    with pytest.raises(ValidationError, match=why) as refused:
        NewShop.model_validate(document)
    told = str(list(faults(refused.value, NewShop)))
    for secret in access.values():
        assert secret not in told
