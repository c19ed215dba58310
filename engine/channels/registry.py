"""Which channels this installation has. A new channel is a new file and one line here."""

from __future__ import annotations

from engine.channels.mail import mail_channel
from engine.outbox import Channel
from engine.store.settings import Settings


def open_channels(settings: Settings) -> dict[str, Channel]:
    """Channel name → how to send through it; only what the settings configure."""
    channels: dict[str, Channel] = {}
    if settings.mail is not None:
        channels["mail"] = mail_channel(settings.mail)
    return channels
