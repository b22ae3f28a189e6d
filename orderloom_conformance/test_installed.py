"""What is installed in this environment: every extension can be used, and brings something."""

from __future__ import annotations

import pytest

from runtime.extensions import Installed, installed


@pytest.mark.parametrize("one", installed(), ids=lambda one: one.name)
def test_an_extension_loads_with_its_settings_and_brings_something(one: Installed) -> None:
    assert one.fault == ""
    assert one.extension is not None
    assert one.extension.brings
