"""Write the generated parts of the documentation: `python -m tests.docs.generate`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mailmon.cli.config import complete_schema
from mailmon.config import flat
from mailmon.typedjson.validate import json_schema

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "docs" / "configuration.md"
BEGIN, END = "<!-- generated: make docs -->", "<!-- end of the generated part -->"

# The parts in the order in which a reader wants them: (heading, definition).
_PARTS = (
    ("The whole file", ""),
    ("`accounts.<name>`", "AccountOptions"),
    ("`accounts.<name>.smtp`", "SmtpOptions"),
    ("`accounts.<name>.imap`", "ImapOptions"),
    ("`accounts.<name>.pop3`", "Pop3Options"),
    ("`accounts.<name>.bounces`", "BounceOptions"),
    ("`accounts.<name>.bounces.test`", "BounceFolderOptions"),
    ("`accounts.<name>.oauth`", "OAuthOptions"),
    ("`routes.<name>`", "RouteOptions"),
    ("`routes.<name>.expect`", "ExpectOptions"),
    (
        "`checks.defaults`, `checks.wrong_password`, `checks.send`, `checks.cleanup`, `checks.certificate`",
        "CheckOptions",
    ),
    ("`checks.imap_auth`", "ImapLoginOptions"),
    ("`checks.pop3_auth`, `checks.smtp_auth`", "LoginOptions"),
    ("`checks.bounces`", "BouncesOptions"),
    ("`checks.receive`", "ReceiveOptions"),
    ("`checks.diagnose`", "DiagnoseOptions"),
    ("`checks.dnsbl`", "DnsblOptions"),
    ("`checks.dnsbl.lists.<zone>`", "ListOptions"),
    ("`checks.dns`", "PublishedOptions"),
    ("`checks.dns.domains.<domain>`", "DomainOptions"),
    ("`checks.queue`", "QueueOptions"),
    ("`checks.queue.instances.<name>`", "MailQueueOptions"),
    ("`checks.certificate_file`", "CertificateFilesOptions"),
    ("`checks.certificate_file.files.<name>`", "CertificateFileOptions"),
    ("`checks.http`", "HttpOptions"),
    ("`checks.http.pages.<name>`", "PageOptions"),
    ("`notify.<name>`, type ntfy", "NtfyOptions"),
    ("`notify.<name>`, type discord", "DiscordOptions"),
    ("`notify.<name>`, type webhook", "WebhookOptions"),
    ("`notify.<name>`, type email", "EmailOptions"),
    ("`notify.<name>`, type command", "CommandOptions"),
    ("`notify.<name>`, type apprise", "AppriseOptions"),
    ("`bounce_notices`", "NoticeOptions"),
    ("`ping`", "PingOptions"),
    ("`dns`", "DnsOptions"),
    ("`limits`", "LimitOptions"),
)


def reference() -> str:
    """Return the tables of all options."""
    return "\n".join(_lines()).rstrip() + "\n"


def page_with(generated: str, page: str) -> str:
    """Return a page with its generated part replaced."""
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{generated}\n{END}{tail}"


def _lines() -> Iterator[str]:
    schema = complete_schema(json_schema)
    definitions = schema["$defs"]
    for heading, name in _PARTS:
        part = definitions[name] if name else schema
        yield f"### {heading}\n"
        if name:
            yield f"{part['description']}\n"
        yield "| key | type | default | meaning |"
        yield "|---|---|---|---|"
        for key, option in part["properties"].items():
            if (name or key not in flat.KEYS) and "const" not in option:
                needed = key in part.get("required", ()) or (not name and key == "accounts")
                default = "**required**" if needed else _default(option)
                yield f"| `{key}` | {_type(option, definitions)} | {default} | {_meaning(option, definitions)} |"
        yield ""
    yield "### The flat keys\n"
    yield "| key | stands for |"
    yield "|---|---|"
    for key in flat.KEYS:
        yield f"| `{key}` | {' and '.join('`' + '.'.join(place) + '`' for place in flat.places(key))} |"


def _type(option: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "$ref" in option:
        name = option["$ref"].rpartition("/")[2]
        target = definitions[name]
        return " or ".join(f"`{value}`" for value in target["enum"]) if "enum" in target else "table"
    if "anyOf" in option:
        kinds = [_type(kind, definitions) for kind in option["anyOf"] if kind.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "enum" in option:
        return " or ".join(f"`{value}`" for value in option["enum"])
    if "const" in option:
        return f'`"{option["const"]}"`'
    names = {"object": "table", "array": "list", "integer": "integer", "number": "number", "boolean": "true or false"}
    kind = names.get(str(option.get("type")), "text")
    low, high = option.get("minimum"), option.get("maximum")
    return f"{kind}, {low:g} to {high:g}" if low is not None and high is not None else kind


def _default(option: dict[str, Any]) -> str:
    default = option.get("default")
    if default in (None, [], "") or isinstance(default, dict):
        return "–"
    return (
        f"`{default:g}`" if isinstance(default, float) else f"`{str(default).lower() if default is False else default}`"
    )


def _meaning(option: dict[str, Any], definitions: dict[str, Any]) -> str:
    if "description" in option:
        return str(option["description"])
    for variant in (option, *option.get("anyOf", ()), *option.get("allOf", ())):
        if "$ref" in variant:
            return str(definitions[variant["$ref"].rpartition("/")[2]].get("description", ""))
    return ""


if __name__ == "__main__":
    PAGE.write_text(page_with(reference(), PAGE.read_text("utf-8")), "utf-8")
