"""What must be true of messages to customers."""

from __future__ import annotations

from typing import Final

from store.database import load_queries
from store.views.audited.check import Check, Checks

_sql = load_queries(__file__)

_OF: Final = (
    Check(
        "event_has_its_message",
        "messages",
        "{order_id}",
        "its customer was to be told of event {event_id} ({type}), but there is no message",
    ),
    Check(
        "mail_has_an_id_of_its_own",
        "messages",
        "{order_id}",
        "{messages} messages were sent as {mail_id}: a mailbox takes them for one mail",
    ),
    Check(
        "sent_message_says_as_what",
        "messages",
        "{order_id}",
        "message {event_id} is sent, but nobody has noted by what, and under which id",
    ),
)

CHECKS: Final = Checks(_sql, _OF)
