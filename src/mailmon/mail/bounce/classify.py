"""Classification of a message: bounce, delay, complaint or other.

RFC 3464 and RFC 6533 where the message keeps to them, else its words. Pure, bounded, in linear time; never raises.
"""

from __future__ import annotations

from collections.abc import Collection

from mailmon.mail.bounce.addresses import find_addresses, first_address, verp_recipient
from mailmon.mail.bounce.complaints import complaint_about, read_complaint
from mailmon.mail.bounce.dsn import Report, Reported, before_fields, holds_fields, read_fields
from mailmon.mail.bounce.original import RETURNED_TYPES, addressed_to, read_original, recipients_of, returned_headers
from mailmon.mail.bounce.prose import (
    MAX_CODED_CHARS,
    Listed,
    after_start,
    begin_of,
    cut,
    find_span,
    find_start,
    forwarded_from,
    is_log,
    local_names,
    mentioned,
    read_listed,
    read_transcript,
    without_quotes,
)
from mailmon.mail.bounce.recipients import build_recipient, read_said
from mailmon.mail.bounce.sender import (
    STATUS_TYPES,
    Trust,
    assess_sender,
    has_copied_subject,
    is_from_nobody,
    is_letter,
    is_notification,
    may_be_returned_by,
)
from mailmon.mail.bounce.status_codes import holds_code, holds_permanent, reply_code
from mailmon.mail.bounce.values import Classification, Form, Kind, Recipient
from mailmon.mail.bounce.vendor_formats import is_session, read_json, read_session
from mailmon.mail.message.header import Headers, first
from mailmon.mail.message.read import Message, read_message
from mailmon.mail.phrases import finder, phrases

_is_delay = finder(phrases("delay"))
_is_failure = finder(phrases("failure"))
_is_trouble = finder(phrases("trouble"))
_is_success = finder(phrases("success"))
# The part of a message that is read: the notification precedes the returned message.
MAX_READ_BYTES = 1 << 18
# Senders whose JSON is read.
_JSON_SENDERS = ("amazonaws.com", "amazonses.com")


def classify(raw: bytes, *, about: str = "", may_hold_another: bool = True) -> Classification:
    """Classify a message, headers and body with any line ends.

    If the notification names no recipient, the one that it may enclose is read, once. `about` is set if the message is
    known to concern a message of ours to this address (mail/probe/returned.py): less is then required of its sender and
    text, and the address is the recipient if no other is named.
    """
    message = read_message(raw, MAX_READ_BYTES)
    found = read_complaint(message) or _from_json(message)
    if found:
        return found
    trust = assess_sender(message, is_ours=bool(about))
    if not trust.prose and is_from_nobody(message.headers):
        trust = _reassess_if_copied(message, trust, is_ours=bool(about))
    if not trust.fields and not trust.prose:
        return Classification(Kind.OTHER, trust.form)
    text, below = cut(_own_text(message))
    text = without_quotes(text)
    if about and _holds_reply(text):
        trust = trust._replace(needs_list=False)  # whatever the language: a code, and a message of ours
    report = _report(message, text) if trust.fields else None
    if report and report.recipients:
        return _from_fields(message, trust, report, before_fields(text), below, about)
    returned = returned_headers(message, below)
    if not trust.prose or not _may_be_notification(message, trust, text, returned, about):
        return Classification(Kind.OTHER, trust.form)
    found = _from_prose(message, trust, text, returned, about)
    if found.kind is Kind.OTHER and below and may_hold_another and not trust.needs_return:
        return classify(below.encode(errors="replace"), about=about, may_hold_another=False)
    return found


def _reassess_if_copied(message: Message, trust: Trust, *, is_ours: bool) -> Trust:
    """Assess the sender again without the subject if that is a copy of the returned message's."""
    returned = returned_headers(message, cut(_own_text(message))[1])
    if not has_copied_subject(message.headers, returned):
        return trust
    return assess_sender(message, is_ours=is_ours, has_copied_subject=True)


def _may_be_notification(message: Message, trust: Trust, text: str, returned: Headers, about: str) -> bool:
    """Return whether a text without DSN fields may be a notification.

    Known phrases suffice. In any language, so does a failure code beside the returned message or in an automatic
    message that is not a reply (RFC 3834 section 5).
    """
    if is_session(text) or is_log(text) or not may_be_returned_by(trust, message, returned):
        return False
    lower = begin_of(text)
    holds_code = _holds_reply(text)
    has_words = find_start(text) >= 0 or _is_delay(lower)
    is_plain = holds_code or (has_words and not trust.needs_list)
    if not returned and not about and is_letter(message, is_plain=is_plain):
        return False
    if not holds_code and _is_success(lower) and not _is_failure(lower):
        return False
    if not trust.needs_list:
        return has_words or holds_code or _is_trouble(f"{trust.subject} {lower}")
    # An automatic message that is not a reply is a digest or a report (RFC 3834 section 5).
    is_answer = trust.form is Form.AUTO_REPLY
    is_sure = bool(returned) or (trust.may_be_own and (is_answer or message.type == "multipart/report"))
    is_made = first(message.headers, "auto-submitted").lower().startswith("auto-generated")
    return (is_sure and (has_words or holds_code or bool(find_span(text)))) or (
        has_words and not is_made and (holds_code or trust.may_be_own)
    )


def _own_text(message: Message) -> str:
    """Return the text that precedes the returned message: plain text, else HTML."""
    kinds = [part.type for part in message.parts]
    end = next((number for number, kind in enumerate(kinds) if kind in RETURNED_TYPES), len(kinds))
    parts = message.parts[: end or len(kinds)]
    plain = "\n".join(part.text for part in parts if part.type == "text/plain")
    if "@" in plain or holds_code(plain):
        return plain
    pages = "\n".join(part.text for part in parts if part.type == "text/html")
    if plain or pages:
        return f"{plain}\n{pages}" if plain and pages else plain or pages
    leaf = message.parts[0]
    return leaf.text if len(kinds) == 1 and leaf.type not in RETURNED_TYPES else ""


def _report(message: Message, text: str) -> Report | None:
    """Return the DSN fields, from their part or, in a malformed message, from the text."""
    for part in message.parts:
        if part.type in STATUS_TYPES:
            report = read_fields(part.read(_charsets(message)))
            if report.recipients:
                return report
    return read_fields(text) if holds_fields(text) else read_session(text)


def _charsets(message: Message) -> tuple[str, ...]:
    """Return the charsets of the parts: DSN fields often use them without declaring it."""
    named = (part.parameters.get("charset", "") for part in message.parts[:5])
    return tuple(dict.fromkeys(charset for charset in named if charset))


def _from_json(message: Message) -> Classification | None:
    leaf = message.parts[0]
    sender = first(message.headers, "from").lower()
    if not any(name in sender for name in _JSON_SENDERS) or leaf.type != "text/plain":
        return None
    said = read_json(leaf.text)
    if said is None:
        return None
    kind, report = said
    original = read_original({}, message.headers, report.sender)
    if kind == "complaint":
        addresses = [reported.address for reported in report.recipients]
        return complaint_about(addresses, "abuse", Form.COMPLAINT, report.reporting_mta, original)
    words = read_said("", (), report.reporting_mta, original.envelope_sender)
    found = tuple(build_recipient(one, "", words) for one in report.recipients if one.address)
    return Classification(_kind_of(found), Form.JSON, found, original)


def _from_fields(message: Message, trust: Trust, report: Report, text: str, below: str, about: str) -> Classification:
    returned = returned_headers(message, below)
    listed = {entry.address.lower(): entry.words for entry in read_listed(text)}
    spare = ""
    if not all(reported.address for reported in report.recipients):  # a path to a mailbox file, an empty field
        failed = first_address(first(message.headers, "x-failed-recipients")[:2000])
        spare = failed or next(iter(listed), "") or first_address(first(returned, "to")[:2000]) or about
    original = read_original(returned, message.headers, report.sender)
    all_said = read_said(*_common(report, text, listed, spare), report.reporting_mta, original.envelope_sender)
    usual = "delayed" if _says_delay(trust.subject, text) else "failed"
    recipients: dict[str, Recipient] = {}
    for reported in report.recipients:
        address = reported.address or spare
        words = listed.get(address.lower(), "")
        if not words and len(report.recipients) == 1:
            words = " ".join(entry.words for entry in read_transcript(text))
        written_to = reported.original or forwarded_from(words)
        if not written_to and len(report.recipients) == 1:
            written_to = addressed_to(returned, address)
        completed = reported._replace(address=address, action=reported.action or usual, original=written_to)
        known = recipients.get(address.lower())
        if known is None or (known.action != "failed" and completed.action == "failed"):
            recipients[address.lower()] = build_recipient(completed, words, all_said)
    found = tuple(recipients.values())
    return Classification(_kind_of(found), Form.DSN, found, original)


def _common(report: Report, text: str, listed: Collection[str], spare: str) -> tuple[str, list[str]]:
    """Return the text that applies to all recipients, and the addresses at which it ends.

    If only some recipients have a diagnostic, the text is about those; if it lists only others, about these.
    """
    explained = sum(bool(reported.diagnostic) for reported in report.recipients)
    addresses = [reported.address or spare for reported in report.recipients]
    lower = text.lower()
    is_named = any(reported.original.lower() in listed for reported in report.recipients) or any(
        address.lower() in lower for address in addresses
    )
    common = text if explained in (0, len(addresses)) else ""
    return common, [*addresses, *(() if explained or is_named else (*listed, ""))]


def _from_prose(message: Message, trust: Trust, text: str, returned: Headers, about: str) -> Classification:
    outer = {address.lower() for address in find_addresses(" ".join(message.headers.get("to", ()))[:4000])}
    outer.add(first_address(first(message.headers, "from")[:500]).lower())
    may_be_own = bool(returned) or bool(about) or (trust.may_be_own and _holds_reply(text))
    listed = _named_recipients(message, text, outer, may_be_own=may_be_own)
    is_plain = bool(returned) or _holds_reply(text)
    if not listed and (is_plain or not trust.needs_list):
        implied = [about] if about else _implied(message, text, returned, outer, in_any_line=is_plain)
        listed = [Listed(address, "") for address in implied]
    if not listed:
        return Classification(Kind.OTHER, trust.form)
    shown = [entry.words for entry in listed]
    if len(listed) == 1 and not reply_code(listed[0].words):
        listed = [listed[0]._replace(words=f"{listed[0].words} {after_start(text)}".strip())]
    is_late = _says_delay(trust.subject, text) or _is_soft_only(trust, text)
    action = "delayed" if is_late else "failed"
    original = read_original(returned, message.headers, "")
    all_said = read_said(text, [entry.address for entry in listed], "", original.envelope_sender)
    only = addressed_to(returned, listed[0].address) if len(listed) == 1 else ""
    found = tuple(
        build_recipient(
            Reported(entry.address, action, "", "", original=forwarded_from(own_words) or only),
            entry.words,
            all_said,
            own_words,
        )
        for entry, own_words in zip(listed, shown, strict=True)
    )
    return Classification(_kind_of(found), Form.TEXT, found, original)


def _implied(message: Message, text: str, returned: Headers, outer: set[str], *, in_any_line: bool) -> list[str]:
    """Return the recipients of a notification that lists none: from its text, the returned message or its addressee."""
    writer = first_address(first(message.headers, "from")[:500])
    senders = " ".join((*returned.get("from", ()), *returned.get("return-path", ())))[:2000]
    others = outer | {address.lower() for address in find_addresses(senders)}
    if address := mentioned(text, others, recipients_of(returned), in_any_line=in_any_line):
        return [address]
    domain = writer.rpartition("@")[2]
    if domain.count(".") == 1 and (names := local_names(text)):  # a host may accept mail for any domain
        return [f"{name}@{domain.lower()}" for name in names]
    addressee = "" if is_notification(returned) else first_address(first(returned, "to")[:2000])
    return [address] if (address := addressee or verp_recipient(message.headers)) else []


def _named_recipients(message: Message, text: str, outer: set[str], *, may_be_own: bool) -> list[Listed]:
    """Return the recipients that X-Failed-Recipients or the text names.

    The addressee of the notification counts only if nobody else is named, and only if `may_be_own`.
    """
    listed = read_listed(text)
    words = {entry.address.lower(): entry.words for entry in listed}
    transcript = {entry.address.lower(): entry for entry in read_transcript(text)}
    failed = [a for value in message.headers.get("x-failed-recipients", ()) for a in find_addresses(value[:20000])]
    foreign = [entry for entry in listed if entry.address.lower() not in outer]
    named = any(address.lower() in words for address in failed)
    if failed and (named or not any(_gives_reason(entry.words) for entry in foreign)):
        return [Listed(address, words.get(address.lower(), "")) for address in dict.fromkeys(failed)]
    refused = [entry for entry in transcript.values() if entry.address.lower() not in outer]
    if not foreign or (len(refused) > len(foreign) and {entry.address.lower() for entry in foreign} <= set(transcript)):
        foreign = refused or (listed if may_be_own else [])
    return [
        entry._replace(words=f"{entry.words} {transcript[entry.address.lower()].words}")
        if entry.address.lower() in transcript
        else entry
        for entry in foreign
    ]


def _gives_reason(words: str) -> bool:
    """Return whether the words beside an address are about trouble: it may also be the one that a letter greets."""
    return _holds_reply(words) or _is_trouble(words.lower()) or _is_failure(words.lower())


def _says_delay(subject: str, text: str) -> bool:
    """Return whether the mail is delayed; a code of class 5 in the text outweighs its words."""
    lower = begin_of(text)
    return not _is_failure(lower) and (
        _is_delay(subject) or (_is_delay(lower) and not holds_permanent(text[:MAX_CODED_CHARS]))
    )


def _holds_reply(text: str) -> bool:
    """Return whether a text contains a failure code, whatever its language."""
    text = text[:MAX_CODED_CHARS]
    return bool(reply_code(text)) or holds_code(text)


def _is_soft_only(trust: Trust, text: str) -> bool:
    """Return whether a text in an unknown language has only 4xx codes or a period: delivery may continue."""
    lower = begin_of(text)
    if not trust.needs_list or find_start(text) >= 0 or _is_failure(lower):
        return reply_code(text)[:1] == "4" and not _is_trouble(f"{trust.subject} {lower}")
    return not holds_permanent(text[:MAX_CODED_CHARS])


def _kind_of(recipients: tuple[Recipient, ...]) -> Kind:
    actions = {recipient.action for recipient in recipients}
    if "failed" in actions:
        return Kind.BOUNCE
    return Kind.DELAYED if "delayed" in actions else Kind.OTHER
