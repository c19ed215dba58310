"""Which channels this installation has. A new channel is a new file and one line here."""

from __future__ import annotations

from engine.channels.dingtalk import dingtalk_channel
from engine.channels.mail import mail_channel
from engine.channels.robots import FindRobot, Robots
from engine.channels.sms import sms_channel
from engine.channels.webhook import FindWebhook, webhook_channel
from engine.channels.wecom import wecom_channel
from engine.outbox import Channel
from engine.store.clock import Clock, WallClock
from engine.store.settings import Settings


def open_channels(
    settings: Settings, find_robot: FindRobot | None = None, clock: Clock | None = None,
    find_webhook: FindWebhook | None = None,
) -> dict[str, Channel]:
    """Channel name → how to send through it; only what the settings configure. Without `find_robot` there are no robots, without
    `find_webhook` no webhooks.

    The names are those of `engine.store.store.channels_of`. `clock` dates mails and signatures; the machine's by default.
    """
    clock = clock or WallClock()
    channels: dict[str, Channel] = {}
    if settings.mail is not None:
        channels["mail"] = mail_channel(settings.mail, settings.base_url, clock)
    if settings.sms is not None:
        channels["sms"] = sms_channel(settings.sms, clock)
    if settings.robot_origins and find_robot is not None:
        robots = Robots(find_robot, settings.robot_origins, settings.base_url)
        channels["wecom"] = wecom_channel(robots)
        channels["dingtalk"] = dingtalk_channel(robots, clock)
    if find_webhook is not None:
        channels["webhook"] = webhook_channel(find_webhook, settings.webhook_hosts, clock)
    return channels
