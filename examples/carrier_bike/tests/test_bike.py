"""The conformance kit, run against the couriers."""

from __future__ import annotations

from pathlib import Path

import pytest
from orderloom_bike.carrier import BikeCarrier

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
