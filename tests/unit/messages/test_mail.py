"""The addresses on a mail, its ids, and settings that are refused when they are set."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default

import pytest
from pydantic import ValidationError

from domain.errors import InvalidInput
from domain.messages import mail
from domain.messages.bounces import is_of_address, read_bounce
from domain.messages.examples import the_poorest
from domain.messages.rendering import Rendered
from domain.messages.texts import TEXT_MAX, number_of, short_text, without_number
from runtime.mail_settings import MailSettings

FROM = mail.address_of("orders@shop.example", "The Shop")


@pytest.mark.parametrize(
    "text",
    [
        *("a@b.example, c@d.example", "a@b.example c@d.example", "a@b.example;c@d.example"),
        *("<a@b.example>", "A <a@b.example>", "a@b.example\r\nBcc: c@d.example", "a@@b.example"),
        *("@b.example", "a@", "a@b..example", "a@-b.example", "a@b_c.example", "a b@c.example"),
        *(f"{'a' * 65}@b.example", f"a@{'b' * 64}.example", "a@b.example\x00", ""),
    ],
)
def test_what_is_not_one_mailbox_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="not the address of one mailbox"):
        mail.address_of(text)


def test_a_domain_is_written_as_the_net_knows_it() -> None:
    assert mail.address_of("kim@bücher.example").addr_spec == "kim@xn--bcher-kva.example"


def test_an_id_is_the_same_for_the_same_message_and_for_no_other() -> None:
    ids = {
        mail.message_id(secret, order, event, round_, FROM)
        for secret in (b"a", b"b")
        for order in (1, 11)
        for event in (1, 11)
        for round_ in (1, 2)
    }
    assert len(ids) == 16
    assert mail.message_id(b"a", 1, 1, 1, FROM) in ids


def test_a_name_and_a_subject_begin_no_header() -> None:
    content = mail.mail_of(
        Rendered("a\r\nBcc: x@y.example", "text", "<p>html</p>"),
        sender=FROM,
        to=mail.address_of("kim@x.example", "Kim\r\nCc: z@y.example, 김"),
        mail_id="<1@shop.example>",
        at=datetime(2026, 11, 30, tzinfo=UTC),
    )
    read = message_from_bytes(content, policy=default)
    assert read["Subject"] == "a Bcc: x@y.example"
    assert read["Bcc"] is read["Cc"] is None
    assert [one.addr_spec for one in read["To"].addresses] == ["kim@x.example"]
    assert read["X-Auto-Response-Suppress"] == "All"
    assert "List-Unsubscribe" not in read


def test_a_mail_is_ascii_on_the_wire_whatever_it_says() -> None:
    content = mail.mail_of(
        Rendered("주문 접수", "안녕하세요.", "<p>안녕하세요.</p>"),
        sender=FROM,
        to=mail.address_of("kim@x.example", "김"),
        mail_id="<1@shop.example>",
        at=datetime(2026, 11, 30, tzinfo=UTC),
    )
    assert content.isascii()
    text = message_from_bytes(content, policy=default).get_body(("plain",))
    assert text is not None
    assert text.get_content().strip() == "안녕하세요."


@pytest.mark.parametrize(
    ("code", "said", "of_address"),
    [
        (550, "no mailbox here", True),
        (550, "5.1.1 no such user", True),
        (550, "5.4.1 Recipient address rejected: Access denied", True),
        (553, "5.1.8 Sender address rejected", False),
        (550, "5.7.1 Client host blocked using a list", False),
        (554, "5.1.1 no such user", True),
        (554, "we take no mail from you", False),
        (552, "mailbox full", False),
        (503, "5.5.1 MAIL first", False),
    ],
)
def test_only_a_word_about_the_mailbox_ends_what_follows(
    code: int, said: str, of_address: bool
) -> None:
    assert is_of_address(code, said) is of_address


def test_a_document_has_a_name_that_every_machine_can_keep() -> None:
    assert mail.attachment("../R/2026 №1", b"").name == "R-2026-1.pdf"


def test_a_bounce_with_parts_in_parts_without_end_is_refused() -> None:
    content = b"".join(
        b'Content-Type: multipart/mixed; boundary="b%d"\n\n--b%d\n' % (n, n) for n in range(2000)
    )
    with pytest.raises(InvalidInput, match="parts in parts"):
        read_bounce(content)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"url": "http://x"}, "smtp://"),
        ({"url": "smtp://user:secret@x"}, "settings of their own"),
        ({"url": "smtp://x:99999"}, "smtp://"),
        ({"url": "smtp://x"}, "needs a sender"),
        ({"url": "smtp://x", "sender": "a@b, c@d"}, "not the address of one mailbox"),
        ({"user": "x"}, "needs user and password"),
        ({"kinds": {"web": ["parties"]}}, "received"),
        ({"per_minute": 0}, "greater than"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(fields: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said) as refused:
        MailSettings.model_validate(fields)
    assert "secret" not in str(refused.value.errors(include_input=False))


@pytest.mark.parametrize(
    ("phone", "number"),
    [
        ("+49 (0)170 123-45 67", "+491701234567"),
        ("0049/170.1234567", "+491701234567"),
        ("+82 10-1234-5678", "+821012345678"),
        ("0170 1234567", None),
        ("+0170 1234567", None),
        ("+49 170 1234567 ext. 3", None),
        ("+491701234567\r\n+491701234568", None),
        ("+49170123456712345678", None),
        ("", None),
        (None, None),
    ],
)
def test_a_number_is_one_with_its_country_or_none(phone: str | None, number: str | None) -> None:
    assert number_of(phone) == number


def test_a_text_is_one_short_line_with_its_whole_link() -> None:
    facts = the_poorest("en").model_copy(update={"link": "https://track.example/o/abc"})
    made = short_text(Rendered("S\r\nBcc", "", "", "P"), facts)
    assert made == "x: S Bcc. P https://track.example/o/abc"
    for rendered in (Rendered("S" * 400, "", "", "P"), Rendered("S", "", "", "P" * 400)):
        long = short_text(rendered, facts)
        assert len(long) <= TEXT_MAX
        assert long.endswith(" https://track.example/o/abc")


def test_what_a_company_answers_is_kept_without_numbers() -> None:
    assert without_number("no texts for +49 170 1234567 today") == "no texts for (number) today"
    assert without_number("HTTP 429 slow down") == "HTTP 429 slow down"
