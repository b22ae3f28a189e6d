"""How values travel to Temporal: as JSON, and encrypted where ORDERLOOM_CODEC_KEYS is set.

Every client and worker takes its data converter from here. AES-256-GCM encrypts each payload whole,
with a nonce of its own. The id of the key is authenticated with it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    PayloadCodec,
    PayloadConverter,
)

from domain.errors import CannotDecrypt
from runtime.key_ring import KEYS_VARIABLE, KeyRing, load_ring

ENCODING: Final = b"binary/encrypted"
KEY_ID: Final = "encryption-key-id"
"""The metadata that names the key of a payload."""

_NONCE_BYTES: Final = 12


def data_converter(keys: Path | None) -> DataConverter:
    """How values travel with this file of keys; None encrypts nothing. Raises InvalidInput.

    Without keys, too, an encrypted value is told from a plain one: an order must not take a
    cancellation that it cannot read for one without sense.
    """
    codec = EncryptionCodec(None if keys is None else load_ring(keys))
    if keys is None:
        return replace(pydantic_data_converter, payload_codec=codec)
    return replace(
        pydantic_data_converter,
        payload_codec=codec,
        failure_converter_class=EncryptedFailures,
    )


class EncryptionCodec(PayloadCodec):
    """Encrypts with the current key of a ring, and decrypts with all of them."""

    def __init__(self, ring: KeyRing | None) -> None:
        """`ring`: None encrypts nothing, and can decrypt nothing."""
        self._current = None if ring is None else ring.current.id
        self._ciphers = {} if ring is None else {key.id: AESGCM(key.secret) for key in ring.keys}

    async def encode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each payload encrypted; without a ring, each as it is."""
        if self._current is None:
            return list(payloads)
        return [self._encrypted(payload, self._current) for payload in payloads]

    async def decode(self, payloads: Sequence[Payload]) -> list[Payload]:
        """Each payload as it was; what was never encrypted is left alone. Raises CannotDecrypt."""
        return [
            self._decrypted(payload) if payload.metadata.get("encoding") == ENCODING else payload
            for payload in payloads
        ]

    def _encrypted(self, payload: Payload, key_id: str) -> Payload:
        # A random nonce of 96 bits is safe for some billions of payloads under one key.
        nonce = os.urandom(_NONCE_BYTES)
        sealed = self._ciphers[key_id].encrypt(nonce, payload.SerializeToString(), key_id.encode())
        return Payload(
            metadata={"encoding": ENCODING, KEY_ID: key_id.encode()}, data=nonce + sealed
        )

    def _decrypted(self, payload: Payload) -> Payload:
        key_id = payload.metadata.get(KEY_ID, b"").decode("utf-8", "replace")
        cipher = self._ciphers.get(key_id)
        if cipher is None:
            way = (
                f"set {KEYS_VARIABLE} to the file that has it"
                if self._current is None
                else f"add it to the file that {KEYS_VARIABLE} names"
            )
            raise CannotDecrypt(
                f"it is encrypted with the key {key_id!r}, which this program does not have: "
                f"{way}, and start the program again"
            )
        nonce, sealed = payload.data[:_NONCE_BYTES], payload.data[_NONCE_BYTES:]
        try:
            return Payload.FromString(cipher.decrypt(nonce, sealed, key_id.encode()))
        except (InvalidTag, ValueError):
            raise CannotDecrypt(
                f"it names the key {key_id!r}, and the key of that id does not fit, or the data "
                f"was changed: put the right key into the file that {KEYS_VARIABLE} names, and "
                "start the program again"
            ) from None


class EncryptedFailures(DefaultFailureConverter):
    """Messages and traces of failures travel as payloads do: they may quote what people type."""

    def __init__(self) -> None:
        super().__init__(encode_common_attributes=True)
        self._plain = DefaultFailureConverter()

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """As the base class does it. That a key is lacking is told to those who lack it."""
        if isinstance(exception, CannotDecrypt):
            self._plain.to_failure(exception, payload_converter, failure)
        else:
            super().to_failure(exception, payload_converter, failure)
