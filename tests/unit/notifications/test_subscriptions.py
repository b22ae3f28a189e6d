"""Which addresses can be named, and which addresses are inner ones."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from pydantic import ValidationError

from activities.notifications.targets import TargetRefused, Targets, is_inner
from domain.notifications.subscriptions import NewSubscription, SubscriptionChange

INNER = (
    *("127.0.0.1", "127.9.9.9", "0.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
    *("169.254.169.254", "100.100.100.200", "168.63.129.16", "192.0.0.192", "198.18.0.1"),
    *("224.0.0.1", "239.1.1.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
    *("::1", "::", "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::808:808"),
    *("64:ff9b:1::1", "2002:7f00:1::1", "2001:0:1::1", "fec0::1"),
)


@pytest.mark.parametrize("address", INNER)
def test_an_inner_address_is_known(address: str) -> None:
    assert is_inner(ip_address(address))
    with pytest.raises(TargetRefused, match="ORDERLOOM_WEBHOOK_TARGETS_ALLOW"):
        Targets().check(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:2800:220:1::1"])
def test_an_address_of_the_world_is_one(address: str) -> None:
    Targets().check(address)


def test_a_setting_allows_a_network_and_no_other() -> None:
    targets = Targets([ip_network("10.1.0.0/16"), ip_network("::1/128")])
    targets.check("10.1.2.3")
    targets.check("::1")
    for address in ("10.2.0.1", "127.0.0.1", "::ffff:10.1.2.3"):
        with pytest.raises(TargetRefused):
            targets.check(address)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://shop.example/",
        "shop.example",
        "https://",
        "https://kim:secret@shop.example/",
        "https://shop.example/#part",
        "https://shop.example/a b",
        "https://shöp.example/",
        "file:///etc/passwd",
        "https://" + "a" * 2000 + ".example",
    ],
)
def test_an_address_that_cannot_be_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        NewSubscription(url=url)


def test_a_change_says_something_and_null_means_all() -> None:
    with pytest.raises(ValidationError, match="says nothing"):
        SubscriptionChange.model_validate({})
    assert SubscriptionChange.model_validate({"types": None}).changed == {"types": None}
    with pytest.raises(ValidationError, match="cannot be null"):
        SubscriptionChange.model_validate({"url": None})
    with pytest.raises(ValidationError):
        SubscriptionChange.model_validate({"types": ["orderloom.order.exploded.v1"]})
