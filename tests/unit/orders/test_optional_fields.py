"""What is optional or free in an order never loses it: it is kept, mended, or left out and told."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.faults import faults
from domain.orders.order import Order
from tests.support.builders import address_of
from tests.unit.orders.order_documents import FULL, Path, at, text, without

ADDRESS: Path = ("shipping", "address")
NAMES: tuple[Path, ...] = (
    ("customer", "name"),
    *((*ADDRESS, field) for field in ("name", "line1", "line2", "city", "region", "postal_code")),
)
OPTIONAL: tuple[Path, ...] = (
    *(("customer", field) for field in ("email", "phone", "locale")),
    *((*ADDRESS, field) for field in ("line2", "region", "postal_code")),
    *(("shipping", "service"), ("basket",), ("requested_delivery_date",), ("note",)),
)
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text())


def placed(document: dict[str, Any]) -> Order:
    """The order, which is the same whether it was parsed by us or by the library."""
    order = Order.model_validate(document)
    again = Order.model_validate_json(order.model_dump_json())
    assert (again.digest, again.left_out) == (order.digest, ())
    return order


def value_at(order: Order, path: Path) -> Any:
    value: Any = order.model_dump()
    for step in path:
        value = value[step]
    return value


def default_of(path: Path) -> Any:
    return value_at(Order.model_validate({**without(path), "total": None}), path)


@pytest.mark.parametrize("path", OPTIONAL, ids=text)
@pytest.mark.parametrize(
    "blank", [None, "", "   ", "\r\n", "\u00a0\u3000", "\u200b", "\u202b\u202c"]
)
def test_what_is_blank_is_not_given_and_nothing_is_told(path: Path, blank: Any) -> None:
    order = placed(at(path, blank))
    assert value_at(order, path) == default_of(path)
    assert order.left_out == ()


@pytest.mark.parametrize("path", [("discount",), ("shipping", "tax"), ("lines", 0, "discount")])
@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_blank_amount_is_the_same_as_a_missing_one(path: Path, blank: Any) -> None:
    document = {**at(path, blank), "total": blank}
    assert placed(document).digest == placed({**without(path), "total": None}).digest


@pytest.mark.parametrize("path", OPTIONAL, ids=text)
@given(value=ANYTHING)
def test_no_value_of_an_optional_field_costs_the_order(path: Path, value: Any) -> None:
    order = placed(at(path, value))
    if value_at(order, path) == default_of(path):
        assert len(order.left_out) <= 1
    told = [where.split(" ")[0] for where in order.left_out]
    assert told in ([], [text(path)])


@given(values=st.lists(ANYTHING, min_size=len(OPTIONAL), max_size=len(OPTIONAL)))
def test_all_optional_fields_may_be_wrong_at_once(values: list[Any]) -> None:
    document = FULL
    for path, value in zip(OPTIONAL, values, strict=True):
        document = at(path, value, document)
    assert placed(document).total_minor == Order.model_validate(FULL).total_minor


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("customer", "phone"), 4930123456, "was left out: it must be text"),
        (("customer", "email"), "minji", "was left out: it must be a mail address with one @"),
        (("customer", "email"), "a@b@example.com", "was left out: it must be a mail address"),
        (("customer", "email"), "ki\x00m@example.com", "was left out: it must be one line"),
        (("customer", "email"), "k" * 250 + "@a.de", "must have 254 characters at most"),
        (("customer", "locale"), "german", "was left out: it must be a language tag"),
        (("requested_delivery_date",), "2026-02-30", "was left out: it "),
        (("requested_delivery_date",), "01/12/2026", "was left out: it must be a day"),
        ((*ADDRESS, "postal_code"), "1" * 33, "was left out: it must have 32 characters"),
        ((*ADDRESS, "line2"), "x" * 301, "was cut after 300 characters"),
        (("note",), "x" * 2001, "was cut after 2000 characters"),
        (("note",), ["Ring"], "was left out: it must be text"),
        (("basket",), "B 1", "was left out: it must be letters"),
        (("shipping", "service"), "x" * 101, "was left out: it must have 100 characters"),
    ],
)
def test_what_was_left_out_is_told_with_its_reason_and_without_its_value(
    path: Path, value: Any, told: str
) -> None:
    order = placed(at(path, value))
    (line,) = order.left_out
    assert line.startswith(f"{text(path)} was ")
    assert told in line
    assert str(value) not in line


def test_what_is_too_long_is_cut_and_its_beginning_is_kept() -> None:
    assert placed(at(("note",), "abc" + "x" * 3000)).note == "abc" + "x" * 1997


def test_faults_of_required_fields_are_told_and_what_could_be_left_out_is_not() -> None:
    document = at(("customer", "email"), "kim", at(("currency",), "XYZ"))
    with pytest.raises(ValidationError) as error:
        Order.model_validate(document)
    assert [where for _, where, _ in faults(error.value)] == ["currency"]


# Text --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", NAMES, ids=text)
@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("Probeweg 1\nHinterhaus 2", "Probeweg 1 Hinterhaus 2"),
        ("Probeweg\t1", "Probeweg 1"),
        ("  a \r\n  b\u2028c\u00a0\u3000d\x85e ", "a b c d e"),
        ("\u202b\u062f\u0627\u0646\u0627\u202c", "\u062f\u0627\u0646\u0627"),
        ("\u2068Dana\u2069", "Dana"),
        ("\ufeffDana\u200e", "Dana"),
        ("Da\x00na\x1b\x7f\x9b", "Dana"),
        ("Dana \ud83d", "Dana"),  # a shop's limit cut a smiley in two
        ("می‌خواهم", "می‌خواهم"),  # a joiner is part of the writing
        ("👩‍👧 Kim", "👩‍👧 Kim"),
    ],
)
def test_text_is_folded_to_one_line_and_loses_what_garbles(
    path: Path, sent: str, kept: str
) -> None:
    order = placed(at(path, sent))
    assert value_at(order, path) == kept
    assert order.left_out == ()


@given(st.text())
def test_a_name_keeps_all_its_letters(name: str) -> None:
    document = at((*ADDRESS, "name"), f"A{name}"[:300])
    kept = address_of(placed(document)).name
    letters = [sign for sign in f"A{name}"[:300] if sign.isalnum()]
    assert [sign for sign in kept if sign.isalnum()] == letters
    assert "  " not in kept
    assert kept == kept.strip()


def test_a_note_keeps_its_lines() -> None:
    assert placed(at(("note",), "a\r\nb\rc\n\td\x00\u202e\u2028e")).note == "a\nb\nc\n\td\ne"


@pytest.mark.parametrize(
    "mail", ["ada..probe@docomo.ne.jp", "ada.@docomo.ne.jp", "kasse@laden.local", "아다@예.한국"]
)
def test_a_mail_address_is_kept_as_written(mail: str) -> None:
    order = placed(at(("customer", "email"), f" {mail} "))
    assert (order.customer.email, order.left_out) == (mail, ())


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        *((same, same) for same in ("+1 555 010 0123 ext. 12", "555-010-0123 x12", "call me")),
        (
            "\uff10\uff19\uff10\uff0d\uff15\uff15\uff15\uff15\uff0d\uff10\uff11\uff12\uff13",
            "090-5555-0123",
        ),
        ("555\u2011010\u20110123", "555-010-0123"),
        ("090\u30fc5555\u22120123", "090-5555-0123"),
        ("\uff0b\uff18\uff12\u3000\uff12", "+82 2"),
        ("\u202a+49 30 1\u202c", "+49 30 1"),
    ],
)
def test_a_phone_number_is_kept_in_plain_signs(sent: str, kept: str) -> None:
    order = placed(at(("customer", "phone"), sent))
    assert (order.customer.phone, order.left_out) == (kept, ())


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        *((same, same) for same in ("de", "ko-KR", "zh-Hant", "zh-Hant-TW", "es-419", "fil-PH")),
        *(("de_DE", "de-DE"), ("en-us", "en-US"), ("nl_NL_formal", "nl-NL"), ("DE", "de")),
        *(("zh-hant-tw", "zh-Hant-TW"), ("de-DE-1996", "de-DE"), ("EN_us.UTF-8", "en-US")),
        *(("de_AT@euro", "de-AT"), ("de-CH,de;q=0.9,en;q=0.8", "de-CH"), ("deu", "de")),
        *(("ger_DE", "de-DE"), ("ko_KR\n", "ko-KR"), ("sr_Latn_RS", "sr-Latn-RS")),
    ],
)
def test_a_locale_is_read_however_it_is_written(sent: str, read: str) -> None:
    order = placed(at(("customer", "locale"), sent))
    assert (order.customer.locale, order.left_out) == (read, ())


@pytest.mark.parametrize("sent", ["german", "C", "POSIX", "*", "??", "qqq", 7, ["de"]])
def test_a_locale_that_cannot_be_read_is_english_and_that_is_told(sent: Any) -> None:
    order = placed(at(("customer", "locale"), sent))
    assert order.customer.locale == "en"
    assert len(order.left_out) == 1


# Who ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("blank", [None, "", " "])
def test_a_guest_is_a_customer_of_this_order_only(blank: Any) -> None:
    order = placed(at(("customer", "id"), blank))
    assert order.customer.id == "guest-web-1001"
    assert order.digest == placed(without(("customer", "id"))).digest


@pytest.mark.parametrize(
    "number", ["C-1", "gid://shopify/Customer/7", "ada@shop-mail.de", "№ 7", "김 1"]
)
def test_a_customer_has_the_id_that_the_channel_gives(number: str) -> None:
    assert placed(at(("customer", "id"), number)).customer.id == number


def test_who_is_named_once_is_named_twice() -> None:
    only_buyer = placed(without((*ADDRESS, "name")))
    only_recipient = placed(without(("customer", "name")))
    for order in (only_buyer, only_recipient):
        assert order.customer.name == address_of(order).name == "Kim Minji"


# Names of fields, countries ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "near"),
    [
        (("Currency",), "currency"),
        (("placedAt",), "placed_at"),
        (("customer", "e_mail"), "email"),
        ((*ADDRESS, "postcode"), "postal_code"),
        (("lines", 1, "quantitiy"), "quantity"),
        (("tenders", 0, "amounts"), "amount"),
    ],
)
def test_an_unknown_field_is_answered_with_the_nearest_known(path: Path, near: str) -> None:
    with pytest.raises(ValidationError) as error:
        Order.model_validate(at(path, "x"))
    ((_, where, reason),) = faults(error.value, Order)
    assert where == text(path)
    assert reason.endswith(f"(did you mean {near}?)")


def test_a_field_that_resembles_none_is_only_refused() -> None:
    with pytest.raises(ValidationError) as error:
        Order.model_validate(at(("wxyz",), 1))
    ((_, _, reason),) = faults(error.value, Order)
    assert reason == "is not known here; correct its name or leave it out"


@pytest.mark.parametrize("code", ["XK", "IC", "XI", "AC", "TA", "EA"])
def test_a_country_may_be_one_that_posts_know_and_the_standard_does_not(code: str) -> None:
    document = at((*ADDRESS, "country"), code)
    assert address_of(placed(json.loads(json.dumps(document)))).country == code


@pytest.mark.parametrize(
    ("path", "value", "told"),
    [
        (("billing", "country"), "Korea", "billing was left out: billing.country must be an ISO"),
        (("billing", "city"), " ", "billing was left out: billing.city must have 1 characters"),
        (("billing",), "Seoul", "billing was left out: it must be an object"),
        (("billing", "floor"), "7", "billing was left out: billing.floor is not known here"),
        (("extra",), ["a"], "extra was left out: it must be an object"),
        (("extra",), {"a": "x" * 8_000}, "extra was left out: it must have 8000 characters"),
        (("extra",), {"a": [[[[[1]]]]]}, "extra was left out: it must not be nested deeper"),
        (("extra",), {"a": float("nan")}, "extra was left out: it must hold numbers, and not NaN"),
    ],
)
def test_a_part_that_is_wrong_is_left_out_as_a_whole(path: Path, value: Any, told: str) -> None:
    order = Order.model_validate(at(path, value))
    (line,) = order.left_out
    assert line.startswith(told)


@given(
    st.dictionaries(
        st.text(max_size=20),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=50),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
        max_size=5,
    )
)
def test_what_a_channel_has_beside_our_fields_never_costs_the_order(extra: dict[str, Any]) -> None:
    order = Order.model_validate(at(("extra",), extra))
    sent = order.model_dump_json()
    assert "\\u0000" not in sent
    assert Order.model_validate_json(sent).extra == order.extra
