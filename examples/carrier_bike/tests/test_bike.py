"""The conformance kit, run against the couriers."""

from __future__ import annotations

from pathlib import Path

import pytest
from orderloom_bike.carrier import BikeCarrier

from activities.provider_errors import DeclineCode, Declined
from domain.fulfilment.packed import Packed
from orderloom_conformance import Address, CarrierContract


class TestBike(CarrierContract):
    formats = ("pdf", "zpl")
    address = Address(service="bike", country="DE", postal_code="12209")
    refused = Address(service="bike", country="FR", postal_code="75001")

    @pytest.fixture
    def carrier(self, tmp_path: Path) -> BikeCarrier:
        return BikeCarrier(tmp_path, ["DE"])

    @pytest.fixture
    def restarted(self, tmp_path: Path, carrier: BikeCarrier) -> BikeCarrier:
        return BikeCarrier(tmp_path, ["DE"])

    async def test_a_courier_carries_no_more_than_one_can(self, carrier: BikeCarrier) -> None:
        with pytest.raises(Declined) as refused:
            await carrier.buy_label(
                key="web-1:1:label",
                fulfilment_id="web-1:1",
                service="bike",
                country="DE",
                postal_code="12209",
                packed=Packed(grams=30_000),
            )
        assert refused.value.code == DeclineCode.NOT_SERVICEABLE
