"""What an extension's parts keep to, as tests that their author runs. docs/extensions.md

Derive a class from a contract, in a test file of your own, and give it a fixture with your part:

    class TestAcme(CarrierContract):
        @pytest.fixture
        def carrier(self, tmp_path):
            return AcmeCarrier(...)

`pytest --pyargs orderloom_conformance` checks what is installed. It takes pytest and
pytest-asyncio. Orderloom's own parts are tested by the same classes.
"""

from __future__ import annotations

import pytest

for _name in ("carrier", "payment", "supplier", "texts", "test_installed"):
    pytest.register_assert_rewrite(f"{__name__}.{_name}")

from orderloom_conformance.carrier import Address, CarrierContract  # noqa: E402 - registered first
from orderloom_conformance.payment import PaymentContract  # noqa: E402 - registered first
from orderloom_conformance.supplier import SupplierContract  # noqa: E402 - registered first
from orderloom_conformance.texts import TextsContract  # noqa: E402 - registered first

__all__ = ["Address", "CarrierContract", "PaymentContract", "SupplierContract", "TextsContract"]
