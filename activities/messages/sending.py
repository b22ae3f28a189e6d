"""Sends messages that are due, each by one sender: intent first, then the mail, then its outcome.

A sender that is lost between a mail and its answer leaves a message that is being sent. After the
lease another sender sends it once more, under the same Message-ID: a mail that is lost is worse
than one that a mailbox may recognise as the same. Everything else is sent once.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from activities.messages.texts import TextRefused, Texts, hand_over
from activities.provider_errors import OutcomeUnknown, Unavailable
from domain.errors import InvalidInput, OrderloomError
from domain.looks import picture
from domain.messages import mail
from domain.messages.kinds import WISHED
from domain.messages.rendering import render
from domain.messages.texts import short_text
from runtime.mail import Answer, MailServerAway, Post
from runtime.papers.pdf import render as draw
from store import clock
from store.customers.care import may_be_told
from store.database import Connection, DatabaseFault, Pool
from store.messages import facts, rows
from store.messages.facts import Told
from store.messages.rows import MAIL, Ending, Taken

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(minutes=5)
"""After so long a message whose sender says nothing is sent by another one."""

ATTEMPT_SECONDS_MAX: Final = 180.0
"""For a connection and a mail: well within the lease."""

DOCUMENT_WITHIN: Final = timedelta(minutes=2)
"""So long a mail waits for the invoice that it is to bring, which comes within seconds of the
parcel's hand-over. A parcel of no worth has none."""

DOCUMENT_PAUSE: Final = timedelta(seconds=5)
DOCUMENT_BYTES_MAX: Final = 5_000_000
"""Mail servers take 10 MB and more; a document that is longer stays on the customer's page."""

SENT_AT_ONCE: Final = 100
PAUSES: Final = tuple(
    timedelta(minutes=minutes) for minutes in (1, 5, 15, 60, 240, 720, 1440, 1440)
)
"""Before each further attempt, where a server says that it may take the mail later."""

AWAY_PAUSE_MAX: Final = timedelta(minutes=15)
AWAY_TRIES_MAX: Final = 300
"""A server that is away is waited for, for three days; mails are not at fault."""


class MessagePost:
    """A duty of the relay that runs beside the others."""

    def __init__(
        self,
        pool: Pool,
        make_post: Callable[[], Post],
        *,
        sender_for: Callable[[str], str],
        pages_url: str | None,
        per_minute: int,
        texts: Texts | None = None,
        lease: timedelta = LEASE,
    ) -> None:
        """`make_post`: a way to the mail server. `sender_for`: the address a seller writes from.

        `per_minute`: messages that all workers together hand over. `texts`: by which some go to
        the phone; None: all are mails.
        """
        self._pool = pool
        self._make_post = make_post
        self._sender_for = sender_for
        self._pages_url = pages_url
        self._per_minute = per_minute
        self._texts = texts
        self._lease = lease

    async def send_due(self) -> int:
        """Send what is due now. Returns how many were tried. One that fails stops no other."""
        post, tried = self._make_post(), 0
        try:
            while tried < SENT_AT_ONCE:
                holder = uuid.uuid4().hex
                async with self._pool.acquire() as conn:
                    taken = await rows.take(
                        conn, holder, per_minute=self._per_minute, lease=self._lease
                    )
                if taken is None:
                    break
                tried += 1
                ending = await self._sent(post, taken, holder)
                if ending is None:
                    continue
                async with self._pool.acquire() as conn:
                    await rows.end(conn, taken, holder, ending)
                if ending.state == "planned" and ending.answer is None and ending.was_tried:
                    break  # Nobody answers: the others would only wait for it as well.
        finally:
            await post.close()
        return tried

    async def _sent(self, post: Post, taken: Taken, holder: str) -> Ending | None:
        """Send one. None: somebody else has taken it meanwhile."""
        try:
            return await self._handed_over(post, taken, holder)
        except DatabaseFault:
            raise
        except (MailServerAway, OutcomeUnknown) as away:
            who = "mail server" if isinstance(away, MailServerAway) else "texts"
            logger.warning("messages are sent later: %s: %s", who, away)
            if taken.tries >= AWAY_TRIES_MAX:
                return Ending("refused", f"{who}: nobody answered for too long")
            pause = min(timedelta(minutes=taken.tries), AWAY_PAUSE_MAX)
            return Ending("planned", f"{who}: {away}"[:300], pause=pause)
        except InvalidInput as error:
            return Ending("dropped", str(error)[:300])
        except Exception as defect:  # noqa: BLE001 - whatever is wrong with one must not stop the others
            where = "".join(traceback.format_tb(defect.__traceback__))
            kind = type(defect).__name__
            logger.error("message %s cannot be made: %s\n%s", taken.order_id, kind, where)  # noqa: TRY400 - a message could repeat data
            told_as = str(defect) if isinstance(defect, OrderloomError) else kind
            return Ending("dropped", f"defect: {told_as}"[:300])

    async def _handed_over(self, post: Post, taken: Taken, holder: str) -> Ending | None:
        async with self._pool.acquire() as conn:
            told = await facts.told(
                conn, taken.order_no, taken.event_id, taken.kind, pages_url=self._pages_url
            )
            by = await self._way(conn, taken, told)
            instead = await _instead(conn, taken, told, by)
        if told is None or instead is not None:
            return instead
        if by == MAIL:
            return await self._posted(post, taken, holder, told)
        return await self._texted(by, taken, holder, told)

    async def _way(self, conn: Connection, taken: Taken, told: Told | None) -> str:
        """Mail, or the extension for texts. A message keeps the way on which it was first tried."""
        texts = self._texts
        if taken.by is not None:
            return taken.by
        if texts is None or told is None or told.phone is None or taken.kind not in texts.kinds:
            return MAIL
        return texts.by if await may_be_told(conn, taken.order_id, "texts") else MAIL

    async def _texted(self, by: str, taken: Taken, holder: str, told: Told) -> Ending | None:
        if self._texts is None or self._texts.by != by:
            raise Unavailable("this worker has no such extension")
        language = told.facts.language
        text = short_text(render(taken.kind, told.facts, told.source), told.facts)
        key = mail.message_key(taken.secret, taken.order_no, taken.event_id, taken.round)
        async with self._pool.acquire() as conn:
            if not await rows.intend(
                conn, taken, holder, by=by, language=language, lease=self._lease
            ):
                return None
        try:
            answer = await hand_over(self._texts, key, told.phone or "", text)
        except TextRefused as refusal:
            if told.email is None:
                return Ending("refused", str(refusal), answer=str(refusal))
            return Ending("planned", f"no text: {refusal}", by=MAIL, was_tried=False)
        return Ending("sent", language=language, answer=answer)

    async def _posted(self, post: Post, taken: Taken, holder: str, told: Told) -> Ending | None:
        email = told.email or ""
        to = mail.address_of(email, told.facts.name)
        sender = mail.address_of(self._sender_for(taken.seller), told.facts.shop.name)
        # An earlier sender's id stays, also where the address that mails come from has changed.
        mail_id = taken.mail_id or mail.message_id(
            taken.secret, taken.order_no, taken.event_id, taken.round, sender
        )
        language = told.facts.language
        attached = await _attached(told)
        said = told.facts
        if attached is None:
            said = said.model_copy(update={"invoice": "", "credit_note": ""})
        content = mail.mail_of(
            render(taken.kind, said, told.source),
            sender=sender,
            to=to,
            mail_id=mail_id,
            at=clock.now(),
            logo=None if told.logo is None else picture(told.logo),
            reply_to=None if told.reply_to is None else mail.address_of(told.reply_to),
            attached=attached,
        )
        async with self._pool.acquire() as conn:
            if not await rows.intend(
                conn, taken, holder, by=MAIL, mail_id=mail_id, language=language, lease=self._lease
            ):
                return None
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS_MAX):
                answer = await post.send(content, mail_id, sender.addr_spec, to.addr_spec)
        except TimeoutError:
            raise MailServerAway(f"no answer within {ATTEMPT_SECONDS_MAX:g} s") from None
        return _ending(answer, taken, mail_id, language, mail.without_address(answer.said, email))


async def _instead(conn: Connection, taken: Taken, told: Told | None, by: str) -> Ending | None:
    """What becomes of it where it is not sent now; None: it is."""
    why: str | None = None
    if told is None or told.erased:
        why = "who ordered was erased"
    elif taken.kind in WISHED and not await may_be_told(conn, taken.order_id, "delivery_updates"):
        why = "the customer does not wish to be told of it"
    elif await facts.is_told_by_another(conn, taken.order_no, taken.event_id):
        why = "a mail that was sent since has told it"
    elif by != MAIL:
        if told.phone is None or not await may_be_told(conn, taken.order_id, "texts"):
            why = "the customer does not wish texts any more, or has another phone"
    elif told.email is None:
        why = "there is no mail address"
    elif taken.round == 1 and await rows.refuses_mails(conn, told.email):
        # What a person has sent again is tried: it shows whether the address takes mails by now.
        why = "an earlier mail came back: the address takes none"
    elif told.lacks_document and clock.now() - taken.planned_at < DOCUMENT_WITHIN:
        why = "it waits for its document"
        return Ending("planned", why, pause=DOCUMENT_PAUSE, was_tried=False)
    return None if why is None else Ending("dropped", why)


async def _attached(told: Told) -> mail.Attachment | None:
    """The document that comes with it, drawn beside everything else that the worker does."""
    if told.attached is None:
        return None
    content = await asyncio.to_thread(draw, told.attached)
    if len(content) > DOCUMENT_BYTES_MAX:
        logger.warning("%s is too long for a mail: %s bytes", told.attached.number, len(content))
        return None
    return mail.attachment(told.attached.number, content)


def _ending(answer: Answer, taken: Taken, mail_id: str, language: str, said: str) -> Ending:
    if answer.outcome == "taken":
        return Ending("sent", mail_id=mail_id, language=language, answer=said)
    if answer.outcome == "later" and taken.tries <= len(PAUSES):
        pause = PAUSES[taken.tries - 1]
        return Ending("planned", said, pause=pause, mail_id=mail_id, answer=said)
    why = said if answer.outcome == "refused" else f"not taken after {taken.tries} attempts: {said}"
    gone = answer.of_address
    return Ending("refused", why, of_address=gone, mail_id=mail_id, language=language, answer=said)
