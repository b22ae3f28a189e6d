"""The contract of a carrier: `activities.fulfilment.carrier.Carrier`."""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import dataclass
from typing import ClassVar

import pytest

from activities.fulfilment.carrier import Carrier, Intercepts, Label, SellsReturnLabels
from activities.provider_errors import DeclineCode, Declined
from domain.fulfilment.label_files import FILE_BYTES_MAX
from domain.fulfilment.packed import Packed
from domain.orders.people import Address as Whole
from orderloom_conformance.refusals import refusal

AT_ONCE = 9


@dataclass(frozen=True)
class Address:
    """What a label is bought for."""

    service: str = "standard"
    country: str = "DE"
    postal_code: str | None = "12209"


@pytest.mark.asyncio
class CarrierContract:
    """Derive from it, and give it the fixture `carrier`, and what is different with yours.

    `restarted` is the carrier as another worker makes it: by the same settings, at the same
    company. Left out: the same object. Keys and fulfilments are new in each test.
    """

    address: ClassVar[Address] = Address()
    """The carrier serves it."""
    other: ClassVar[Address] = Address(postal_code="10115")
    """And this one: another content for the same key."""
    refused: ClassVar[Address | None] = None
    """The carrier does not serve it. None: it serves whatever it is asked."""
    elsewhere: ClassVar[Whole | None] = None
    """Where parcels can be redirected to. None: it does that for nobody."""
    formats: ClassVar[tuple[str, ...]] = ()
    """The formats of its labels' files: pdf, zpl, png."""

    @pytest.fixture
    def carrier(self) -> Carrier:
        """The carrier, ready to sell labels."""
        raise NotImplementedError("give your class the fixture `carrier`")

    @pytest.fixture
    def restarted(self, carrier: Carrier) -> Carrier:
        """The same carrier as another worker has it."""
        return carrier

    @pytest.fixture
    def key(self) -> str:
        """A key that was never used."""
        return f"web-{uuid.uuid4().hex[:12]}:1:label"

    async def _buy(self, carrier: Carrier, key: str, address: Address | None = None) -> Label:
        to = address or self.address
        return await carrier.buy_label(
            key=key,
            fulfilment_id=key.removesuffix(":label"),
            service=to.service,
            country=to.country,
            postal_code=to.postal_code,
            packed=Packed(box="M", grams=1250),
        )

    async def test_a_label_is_bought_once_however_often_and_from_wherever_it_is_asked_for(
        self, carrier: Carrier, restarted: Carrier, key: str
    ) -> None:
        sellers = [carrier, restarted] * AT_ONCE
        answers = await asyncio.gather(*(self._buy(seller, key) for seller in sellers))
        assert all(answer == answers[0] for answer in answers)
        assert answers[0].service == self.address.service
        assert not answers[0].voided
        assert await self._buy(restarted, key) == answers[0]
        assert await restarted.lookup(key=key) == answers[0]

    async def test_each_key_has_a_label_of_its_own(self, carrier: Carrier, key: str) -> None:
        first = await self._buy(carrier, key)
        second = await self._buy(carrier, f"2-{key}")
        assert first.tracking_number != second.tracking_number
        assert first.carrier == second.carrier

    async def test_nothing_is_known_of_a_key_that_was_not_used(
        self, carrier: Carrier, key: str
    ) -> None:
        assert await carrier.lookup(key=key) is None

    async def test_a_key_with_other_content_is_a_conflict_and_the_first_label_stands(
        self, carrier: Carrier, key: str
    ) -> None:
        label = await self._buy(carrier, key)
        assert (
            await refusal(self._buy(carrier, key, self.other)) == DeclineCode.IDEMPOTENCY_CONFLICT
        )
        void = carrier.void_label(key=key, tracking_number=label.tracking_number)
        assert await refusal(void) == DeclineCode.IDEMPOTENCY_CONFLICT
        assert await carrier.lookup(key=key) == label

    async def test_an_address_or_service_it_cannot_do_is_refused_for_good_under_its_key(
        self, carrier: Carrier, restarted: Carrier, key: str
    ) -> None:
        if self.refused is None:
            pytest.skip("this carrier serves whatever it is asked")
        for _ in range(2):
            no = await refusal(self._buy(carrier, key, self.refused))
            assert no == DeclineCode.NOT_SERVICEABLE
        assert await refusal(restarted.lookup(key=key)) == DeclineCode.NOT_SERVICEABLE

    async def test_a_label_is_voided_once_and_stays_void(
        self, carrier: Carrier, restarted: Carrier, key: str
    ) -> None:
        label = await self._buy(carrier, key)
        number, void = label.tracking_number, f"{key}:void"
        for seller in (carrier, restarted):
            await seller.void_label(key=void, tracking_number=number)
        voided = label.model_copy(update={"voided": True})
        assert await carrier.lookup(key=void) == voided
        assert await carrier.lookup(key=key) == voided
        assert await self._buy(restarted, key) == voided
        again = carrier.void_label(key=f"{void}:2", tracking_number=number)
        assert await refusal(again) == DeclineCode.ALREADY_VOIDED

    async def test_a_number_that_it_never_sold_is_not_found(
        self, carrier: Carrier, key: str
    ) -> None:
        void = carrier.void_label(key=key, tracking_number="NEVER-SOLD")
        assert await refusal(void) == DeclineCode.NOT_FOUND

    async def test_of_voids_at_once_under_different_keys_one_wins(
        self, carrier: Carrier, restarted: Carrier, key: str
    ) -> None:
        number = (await self._buy(carrier, key)).tracking_number
        results = await asyncio.gather(
            *(
                seller.void_label(key=f"{key}:{n}", tracking_number=number)
                for n, seller in enumerate([carrier, restarted] * AT_ONCE)
            ),
            return_exceptions=True,
        )
        codes = [result.code for result in results if isinstance(result, Declined)]
        assert results.count(None) == 1
        assert codes == [DeclineCode.ALREADY_VOIDED] * (len(results) - 1)

    async def test_its_files_are_of_the_formats_that_it_says_and_of_a_size_that_is_kept(
        self, carrier: Carrier, key: str
    ) -> None:
        label = await self._buy(carrier, key)
        assert sorted(file.format for file in label.files) == sorted(self.formats)
        for file in label.files:
            assert len(file.content) <= FILE_BYTES_MAX
            begins = {"pdf": b"%PDF-", "zpl": b"^XA", "png": b"\x89PNG"}.get(file.format, b"")
            assert file.content.startswith(begins)

    async def test_a_label_has_its_files_whenever_it_is_looked_up(
        self, carrier: Carrier, restarted: Carrier, key: str
    ) -> None:
        """A worker that dies before it has kept them finds them so."""
        label = await self._buy(carrier, key)
        for found in (await restarted.lookup(key=key), await self._buy(restarted, key)):
            assert found is not None
            assert found.files == label.files

    async def _buy_back(
        self, carrier: Carrier, key: str, *, location: str = "main", whence: Address | None = None
    ) -> Label:
        """A label for a parcel from a customer, of a carrier that sells them."""
        if not isinstance(carrier, SellsReturnLabels):
            pytest.skip("this carrier sells no return labels")
        place = whence or self.address
        return await carrier.buy_return_label(
            key=key,
            return_id=key.removesuffix(":label"),
            service=place.service,
            country=place.country,
            postal_code=place.postal_code,
            location=location,
        )

    async def test_a_return_label_is_bought_once_and_given_back_as_any_other(
        self, carrier: Carrier, restarted: Carrier, key: str
    ) -> None:
        sellers = [carrier, restarted] * AT_ONCE
        answers = await asyncio.gather(*(self._buy_back(seller, key) for seller in sellers))
        assert all(answer == answers[0] for answer in answers)
        assert answers[0].service == self.address.service
        assert sorted(file.format for file in answers[0].files) == sorted(self.formats)
        assert await restarted.lookup(key=key) == answers[0]
        number = answers[0].tracking_number
        await restarted.void_label(key=f"{key}:void", tracking_number=number)
        voided = answers[0].model_copy(update={"voided": True})
        assert await self._buy_back(carrier, key) == voided

    async def test_a_return_label_is_no_label_of_the_other_way_and_goes_to_one_location(
        self, carrier: Carrier, key: str
    ) -> None:
        label = await self._buy_back(carrier, key)
        conflict = DeclineCode.IDEMPOTENCY_CONFLICT
        assert await refusal(self._buy(carrier, key)) == conflict
        assert await refusal(self._buy_back(carrier, key, location="other")) == conflict
        assert await carrier.lookup(key=key) == label

    async def test_an_address_that_it_cannot_come_from_is_refused_for_good(
        self, carrier: Carrier, key: str
    ) -> None:
        if self.refused is None:
            pytest.skip("this carrier serves whatever it is asked")
        for _ in range(2):
            no = await refusal(self._buy_back(carrier, key, whence=self.refused))
            assert no == DeclineCode.NOT_SERVICEABLE

    async def test_a_parcel_is_stopped_once_however_often_and_from_wherever_it_is_asked_for(
        self, carrier: Carrier, restarted: Carrier, key: str
    ) -> None:
        if not isinstance(carrier, Intercepts) or not isinstance(restarted, Intercepts):
            pytest.skip("this carrier stops no parcel on its way")
        number = (await self._buy(carrier, key)).tracking_number
        stop = f"{key}:intercept:1"
        answers = await asyncio.gather(
            *(
                each.intercept(key=stop, tracking_number=number, to=None)
                for each in [carrier, restarted] * AT_ONCE
            )
        )
        assert all(answer == answers[0] for answer in answers)
        if self.elsewhere is not None:
            other = restarted.intercept(key=stop, tracking_number=number, to=self.elsewhere)
            assert await refusal(other) == DeclineCode.IDEMPOTENCY_CONFLICT
            await restarted.intercept(
                key=f"{key}:intercept:2", tracking_number=number, to=self.elsewhere
            )
        nobody = carrier.intercept(key=f"{stop}:3", tracking_number="NEVER-SOLD", to=None)
        assert await refusal(nobody) == DeclineCode.NOT_FOUND
