"""The part of a worker that sends mails, as a process of its own: to be killed.

python -m tests.support.mail_worker DATABASE_URL PORT
"""

from __future__ import annotations

import asyncio
import sys

from activities.messages.sending import MessagePost
from runtime.mail import post_of
from runtime.mail_settings import MailSettings
from store.database import open_pool


async def main(database_url: str, port: str) -> None:
    """Send, for ever."""
    mail = MailSettings(
        url=f"smtp://127.0.0.1:{port}",
        sender="orders@shop.example",
        starttls="never",
        per_minute=100_000,
    )
    pool = await open_pool(database_url, size_max=3)
    post = MessagePost(
        pool,
        lambda: post_of(mail),
        sender_for=mail.sender_for,
        pages_url=None,
        per_minute=mail.per_minute,
    )
    while True:
        await post.send_due()
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
