"""Encryption: what goes in comes out, and nothing else does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import Failure
from temporalio.exceptions import ApplicationError, FailureError

from domain.errors import CannotDecrypt
from runtime.codec import ENCODING, KEY_ID, EncryptionCodec, data_converter
from runtime.key_ring import Key, KeyRing, add_key

OLD, NEW, STRANGE = (Key(name, bytes([n]) * 32) for n, name in enumerate(("old", "new", "odd")))
CODEC = EncryptionCodec(KeyRing((NEW, OLD)))
payloads = st.builds(
    lambda metadata, data: Payload(metadata=metadata, data=data),
    st.dictionaries(st.text(max_size=10), st.binary(max_size=20), max_size=3),
    st.binary(max_size=200),
)


async def sealed(payload: Payload, codec: EncryptionCodec = CODEC) -> Payload:
    (encrypted,) = await codec.encode([payload])
    return encrypted


@given(st.lists(payloads, min_size=1, max_size=4))
async def test_what_is_encrypted_comes_back_whole(given: list[Payload]) -> None:
    encrypted = await CODEC.encode(given)
    assert all(each.metadata["encoding"] == ENCODING for each in encrypted)
    assert all(each.metadata[KEY_ID] == b"new" for each in encrypted)
    assert await CODEC.decode(encrypted) == given


@given(payloads, st.data())
async def test_one_changed_bit_is_found(given: Payload, data: st.DataObject) -> None:
    encrypted = await sealed(given)
    at = data.draw(st.integers(0, 8 * len(encrypted.data) - 1))
    spoilt = bytearray(encrypted.data)
    spoilt[at // 8] ^= 1 << at % 8
    encrypted.data = bytes(spoilt)
    with pytest.raises(CannotDecrypt, match="'new'"):
        await CODEC.decode([encrypted])


@given(payloads, st.integers(0, 27))
async def test_what_was_cut_short_is_found(given: Payload, length: int) -> None:
    encrypted = await sealed(given)
    encrypted.data = encrypted.data[:length]
    with pytest.raises(CannotDecrypt):
        await CODEC.decode([encrypted])


async def test_the_same_value_never_looks_the_same() -> None:
    payload = Payload(data=b"ordered twice")
    assert len({(await sealed(payload)).data for _ in range(100)}) == 100
    assert b"ordered" not in (await sealed(payload)).SerializeToString()


async def test_an_older_key_decrypts_and_a_key_that_is_not_there_is_named() -> None:
    payload = Payload(data=b"x")
    assert await CODEC.decode([await sealed(payload, EncryptionCodec(KeyRing((OLD,))))]) == [
        payload
    ]
    of_others = await sealed(payload, EncryptionCodec(KeyRing((STRANGE,))))
    with pytest.raises(CannotDecrypt, match=r"'odd'.*add it to the file that ORDERLOOM_CODEC_KEYS"):
        await CODEC.decode([of_others])


async def test_the_id_of_the_key_cannot_be_exchanged() -> None:
    same_key = EncryptionCodec(KeyRing((NEW, Key("other", NEW.secret))))
    encrypted = await sealed(Payload(data=b"x"))
    encrypted.metadata[KEY_ID] = b"other"
    with pytest.raises(CannotDecrypt, match="'other'"):
        await same_key.decode([encrypted])


async def test_what_was_never_encrypted_is_left_alone() -> None:
    plain = Payload(metadata={"encoding": b"json/plain"}, data=b"{}")
    assert await CODEC.decode([plain]) == [plain]


async def test_without_keys_nothing_is_encrypted_and_an_encrypted_value_is_no_plain_one() -> None:
    plain = data_converter(None)
    (payload,) = await plain.encode(["x"])
    assert payload.metadata["encoding"] == b"json/plain"
    assert await plain.decode([payload]) == ["x"]
    with pytest.raises(CannotDecrypt, match=r"'new'.*set ORDERLOOM_CODEC_KEYS to the file"):
        await plain.decode([await sealed(payload)])


async def test_messages_of_failures_are_encrypted_but_that_a_key_is_lacking_is_not(
    tmp_path: Path,
) -> None:
    add_key(tmp_path / "keys")
    converter = data_converter(tmp_path / "keys")
    failure = Failure()
    try:
        raise ApplicationError("Kim's reason", "Kim's detail") from ValueError("Kim's cause")
    except ApplicationError as error:
        await converter.encode_failure(error, failure)
    assert b"Kim" not in failure.SerializeToString()
    read = await converter.decode_failure(failure)
    assert isinstance(read, FailureError)
    assert (read.message, str(read.cause)) == ("Kim's reason", "ValueError: Kim's cause")
    lacking = Failure()
    await converter.encode_failure(CannotDecrypt("it has the key 'odd'"), lacking)
    assert lacking.message == "it has the key 'odd'"
