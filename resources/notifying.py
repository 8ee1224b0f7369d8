"""Sending a message to a person: e-mail, Teams, Slack or any other service that apprise knows.

Belongs here: handing one message to one channel, and what came of it. Does not belong here: what is told, and to whom.
"""

from __future__ import annotations

import logging
from typing import Literal

from resources.catalogue.deployment_models import Channel, filled
from resources.environment import hidden, named
from resources.errors import KetenError

Tone = Literal["failure", "warning", "success", "info"]
FILE = "keten.yml"


def send(channel: Channel, title: str, body: str, tone: Tone, seconds: float) -> str:
    """Send a message; why that did not succeed within so many seconds, and empty when it did. Never tells the URL."""
    import apprise

    try:
        url = filled(channel.url, FILE, "alerts.to")
    except KetenError as error:
        return str(error)
    _keep_quiet()
    service = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Ketenimpact", app_desc="Ketenimpact", app_url=""))
    if not service.add(url):
        return f"{channel.url} is not a URL that apprise can send to"
    result = service.notify(body, title, tone, body_format="text", timeout=seconds, log_level=logging.WARNING)
    if result:
        return ""
    told = [entry.message for one in result for entry in one.logs() if entry.message]
    reason = told[0] if told else f"no answer within {seconds:.0f} s"
    return " ".join(hidden(reason, named(channel.url)).split())[:200]


def _keep_quiet() -> None:
    """Keep log lines that may hold the URL out of ours; what went wrong stands in the result of apprise."""
    logger = logging.getLogger("apprise")
    logger.setLevel(logging.WARNING)
    logger.propagate = False
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    # The details of a request hold its path, so the key of a webhook.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.INFO)
