"""Where messages may go: addresses of the world outside, and those that a setting allows.

A receiver's name is resolved here, each of its addresses is checked, and the connection goes to one
that was checked: a name that means another address a moment later reaches nothing inside.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Final, TypeAlias

import httpcore

Network: TypeAlias = IPv4Network | IPv6Network
Address: TypeAlias = IPv4Address | IPv6Address

# What Python counts as the world's, and is not. The first carries any IPv4 address inside.
_INNER: Final = tuple(
    ip_network(network)
    for network in (
        "64:ff9b::/96",  # NAT64
        "64:ff9b:1::/48",
        "2002::/16",  # 6to4
        "2001::/32",  # Teredo
        "fec0::/10",  # site-local
        "100.64.0.0/10",  # carriers' own, and a cloud's metadata
        "168.63.129.16/32",  # a cloud's metadata
        "192.0.0.0/24",
        "192.88.99.0/24",
    )
)


class TargetRefused(Exception):
    """Nothing is sent there: a setting would have to allow it."""


class Targets:
    """Which addresses may be sent to. `allow`: networks that are ours and may be, all the same."""

    def __init__(self, allow: Iterable[Network] = (), *, plain_http: bool = False) -> None:
        self.allow = tuple(allow)
        self.plain_http = plain_http

    def check_scheme(self, url: str) -> None:
        """Raises TargetRefused for an address without TLS where no setting allows it."""
        if not self.plain_http and not url.lower().startswith("https:"):
            raise TargetRefused("http is not allowed; ORDERLOOM_WEBHOOK_TARGETS_HTTP allows it")

    def check(self, text: str) -> None:
        """Raises TargetRefused for an address that is not of the world outside."""
        address: Address = ip_address(text.partition("%")[0])
        if any(address.version == one.version and address in one for one in self.allow):
            return
        if is_inner(address):
            raise TargetRefused(
                f"{address} is an inner address; ORDERLOOM_WEBHOOK_TARGETS_ALLOW names those that "
                "may be sent to"
            )

    async def resolved(self, host: str, port: int) -> list[str]:
        """The addresses that a name means, of which each may be sent to. Raises OSError."""
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(each[4][0]) for each in found))
        for address in addresses:
            self.check(address)
        return addresses


def is_inner(address: Address) -> bool:
    """Whether an address is not of the world outside, also where it is written inside another."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return True
    return (
        not address.is_global
        or address.is_multicast
        or address.is_reserved
        or any(address.version == one.version and address in one for one in _INNER)
    )


class GuardedNetwork(httpcore.AsyncNetworkBackend):
    """Connects to addresses that were checked. The name stays in TLS and in the request."""

    def __init__(self, targets: Targets) -> None:
        self._targets = targets
        self._network = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library calls it so
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect to the first of the name's addresses that answers."""
        try:
            addresses: Sequence[str] = await self._targets.resolved(host, port)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError(f"the name {host} cannot be resolved") from error
        failure: httpcore.NetworkError | httpcore.TimeoutException | None = None
        for address in addresses:
            try:
                return await self._network.connect_tcp(
                    address, port, timeout, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure or httpcore.ConnectError(f"the name {host} has no address")

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the library calls it so
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Never: messages go over a network."""
        raise TargetRefused("messages go over a network")

    async def sleep(self, seconds: float) -> None:
        await self._network.sleep(seconds)
