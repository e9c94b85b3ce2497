"""Validation of channel credentials, from any source. None is ever quoted."""

from __future__ import annotations

import re

_URL = r"https?://(?:[^\s/?#@]+@)?(?:\[[0-9A-Fa-f:.]{2,45}\]|[^\s/?#@:\[\]]{1,253})(?::[0-9]{1,5})?(?:[/?#][^\s\x00-\x1f\x7f]*)?"
# What an ntfy server takes as a topic (docs.ntfy.sh/publish), and the names that are pages of its own.
_TOPIC = r"[-_A-Za-z0-9]{1,64}"
_NO_TOPICS = frozenset(
    {"account", "app", "docs", "file", "login", "metrics", "reset", "settings", "signup", "static", "v1"}
)
_DISCORD_HOST = r"https?://(?:[a-z]+\.)?(?:discord|discordapp)\.(?:com|gg)(?::[0-9]+)?(?:[/?#]|$)"
_DISCORD_WEBHOOK = r"https?://[^/]+/api/(?:v[0-9]{1,2}/)?webhooks/[0-9]{1,25}/[-_A-Za-z0-9]{1,200}/?(?:\?\S*)?"
# Printable ASCII, as a header of HTTP may hold it (RFC 9110 section 5.5).
_HEADER_VALUE = r"[!-~](?:[ -~]*[!-~])?"


def problem(kind: str, key: str, value: str) -> str:
    """Return the mistake in a credential of a channel type, or in the ping URL; "" for none.

    >>> problem("ntfy", "topic", "https://ntfy.sh/alerts")
    'must be the name of the topic alone: its server is another option'
    >>> problem("webhook", "url", "https://example.org/hook")
    ''
    """
    if kind == "ntfy" and key == "topic":
        return _topic(value)
    if key in ("webhook", "url") and kind != "apprise":
        return _address(kind, value)
    if (kind, key) in (("ntfy", "token"), ("webhook", "authorization")) and not re.fullmatch(_HEADER_VALUE, value):
        return "must be printable ASCII without line breaks: it is sent in a header"
    return ""


def _topic(value: str) -> str:
    if "/" in value:
        return "must be the name of the topic alone: its server is another option"
    if not re.fullmatch(_TOPIC, value):
        return "must be 1 to 64 letters, digits, '-' and '_', as ntfy wants it"
    return "is the name of a page of ntfy: choose another one" if value in _NO_TOPICS else ""


def _address(kind: str, value: str) -> str:
    if not value.lower().startswith(("https://", "http://")):
        return "must begin with https:// or http://"
    if not re.fullmatch(_URL, value, re.IGNORECASE):
        return "must be a URL like https://HOST/PATH, without spaces"
    is_discords = re.match(_DISCORD_HOST, value, re.IGNORECASE)
    if kind == "discord" and is_discords and not re.fullmatch(_DISCORD_WEBHOOK, value, re.IGNORECASE):
        return "is not the address of a webhook: copy it in Discord from Integrations, Webhooks (.../api/webhooks/...)"
    if kind == "discord" and re.match(r"https?://hooks\.slack\.com/", value, re.IGNORECASE):
        return "is Slack's, not Discord's: use a channel of the type apprise for it"
    return ""
