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
    Gate,
    has_copied_subject,
    is_from_nobody,
    is_letter,
    is_notification,
    judge_sender,
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
# What is looked at of a message: the notification stands in front of what it returns.
MAX_READ_BYTES = 1 << 18
# Whose JSON is believed to tell of mail.
_JSON_SENDERS = ("amazonaws.com", "amazonses.com")


def classify(raw: bytes, *, about: str = "", may_hold_another: bool = True) -> Classification:
    """Classify a message, headers and body with any line ends.

    A notification that names nobody may have been put below the words of another mail system; once, that is looked at.
    With `about` the message is known to concern a message of ours to this address (mail/probe/returned.py): its sender
    and its words are then believed more readily, and where it names nobody that address is meant.
    """
    message = read_message(raw, MAX_READ_BYTES)
    found = read_complaint(message) or _from_json(message)
    if found:
        return found
    gate = judge_sender(message, is_ours=bool(about))
    if not gate.prose and is_from_nobody(message.headers):
        gate = _unless_copied(message, gate, is_ours=bool(about))
    if not gate.fields and not gate.prose:
        return Classification(Kind.OTHER, gate.form)
    text, below = cut(_own_text(message))
    text = without_quotes(text)
    if about and _holds_reply(text):
        gate = gate._replace(needs_list=False)  # in whatever language: a code, and a message of ours
    report = _report(message, text) if gate.fields else None
    if report and report.recipients:
        return _from_fields(message, gate, report, before_fields(text), below, about)
    returned = returned_headers(message, below)
    if not gate.prose or not _may_be_notification(message, gate, text, returned, about):
        return Classification(Kind.OTHER, gate.form)
    found = _from_prose(message, gate, text, returned, about)
    if found.kind is Kind.OTHER and below and may_hold_another and not gate.needs_return:
        return classify(below.encode(errors="replace"), about=about, may_hold_another=False)
    return found


def _unless_copied(message: Message, gate: Gate, *, is_ours: bool) -> Gate:
    """Judge anew where the subject that spoke against a message is that of the one it returns."""
    returned = returned_headers(message, cut(_own_text(message))[1])
    if not has_copied_subject(message.headers, returned):
        return gate
    return judge_sender(message, is_ours=is_ours, has_copied_subject=True)


def _may_be_notification(message: Message, gate: Gate, text: str, returned: Headers, about: str) -> bool:
    """Say whether words without fields may tell of mail that came back.

    Where the words are known, words suffice. In any language a code of failure does, beside the message that came back
    or in a notification that was sent automatically to nobody's question (RFC 3834 section 5).
    """
    if is_session(text) or is_log(text) or not may_be_returned_by(gate, message, returned):
        return False
    lower = begin_of(text)
    holds_code = _holds_reply(text)
    has_words = find_start(text) >= 0 or _is_delay(lower)
    is_plain = holds_code or (has_words and not gate.needs_list)
    if not returned and not about and is_letter(message, is_plain=is_plain):
        return False
    if not holds_code and _is_success(lower) and not _is_failure(lower):
        return False
    if not gate.needs_list:
        return has_words or holds_code or _is_trouble(f"{gate.subject} {lower}")
    # What is sent automatically, and to nobody's question, is a digest or a report (RFC 3834 section 5).
    is_answer = gate.form is Form.AUTO_REPLY
    is_sure = bool(returned) or (gate.may_be_own and (is_answer or message.type == "multipart/report"))
    is_made = first(message.headers, "auto-submitted").lower().startswith("auto-generated")
    return (is_sure and (has_words or holds_code or bool(find_span(text)))) or (
        has_words and not is_made and (holds_code or gate.may_be_own)
    )


def _own_text(message: Message) -> str:
    """Return the words in front of the returned message: plain text, else HTML."""
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
    """Return the fields, from their part or from the text of a message whose parts are broken."""
    for part in message.parts:
        if part.type in STATUS_TYPES:
            report = read_fields(part.read(_charsets(message)))
            if report.recipients:
                return report
    return read_fields(text) if holds_fields(text) else read_session(text)


def _charsets(message: Message) -> tuple[str, ...]:
    """Return what the texts of a message are written in: its fields often are too, and do not say so."""
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


def _from_fields(message: Message, gate: Gate, report: Report, text: str, below: str, about: str) -> Classification:
    returned = returned_headers(message, below)
    listed = {entry.address.lower(): entry.words for entry in read_listed(text)}
    spare = ""
    if not all(reported.address for reported in report.recipients):  # a path to a mailbox file, an empty field
        failed = first_address(first(message.headers, "x-failed-recipients")[:2000])
        spare = failed or next(iter(listed), "") or first_address(first(returned, "to")[:2000]) or about
    original = read_original(returned, message.headers, report.sender)
    all_said = read_said(*_common(report, text, listed, spare), report.reporting_mta, original.envelope_sender)
    usual = "delayed" if _says_delay(gate.subject, text) else "failed"
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
    """Return what the text may say of all recipients, and whose names end that.

    Where only some have a diagnostic of their own it is said of those; where it lists others only, of these.
    """
    explained = sum(bool(reported.diagnostic) for reported in report.recipients)
    addresses = [reported.address or spare for reported in report.recipients]
    lower = text.lower()
    is_named = any(reported.original.lower() in listed for reported in report.recipients) or any(
        address.lower() in lower for address in addresses
    )
    common = text if explained in (0, len(addresses)) else ""
    return common, [*addresses, *(() if explained or is_named else (*listed, ""))]


def _from_prose(message: Message, gate: Gate, text: str, returned: Headers, about: str) -> Classification:
    outer = {address.lower() for address in find_addresses(" ".join(message.headers.get("to", ()))[:4000])}
    outer.add(first_address(first(message.headers, "from")[:500]).lower())
    may_be_own = bool(returned) or bool(about) or (gate.may_be_own and _holds_reply(text))
    listed = _whom(message, text, outer, may_be_own=may_be_own)
    is_plain = bool(returned) or _holds_reply(text)
    if not listed and (is_plain or not gate.needs_list):
        implied = [about] if about else _implied(message, text, returned, outer, in_any_line=is_plain)
        listed = [Listed(address, "") for address in implied]
    if not listed:
        return Classification(Kind.OTHER, gate.form)
    shown = [entry.words for entry in listed]
    if len(listed) == 1 and not reply_code(listed[0].words):
        listed = [listed[0]._replace(words=f"{listed[0].words} {after_start(text)}".strip())]
    is_late = _says_delay(gate.subject, text) or _is_soft_only(gate, text)
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
    """Return whom a notification means that lists nobody: by its words, by what came back, by its own recipient."""
    writer = first_address(first(message.headers, "from")[:500])
    senders = " ".join((*returned.get("from", ()), *returned.get("return-path", ())))[:2000]
    others = outer | {address.lower() for address in find_addresses(senders)}
    if address := mentioned(text, others, recipients_of(returned), in_any_line=in_any_line):
        return [address]
    domain = writer.rpartition("@")[2]
    if domain.count(".") == 1 and (names := local_names(text)):  # of a host it is not clear whose mail it takes
        return [f"{name}@{domain.lower()}" for name in names]
    addressee = "" if is_notification(returned) else first_address(first(returned, "to")[:2000])
    return [address] if (address := addressee or verp_recipient(message.headers)) else []


def _whom(message: Message, text: str, outer: set[str], *, may_be_own: bool) -> list[Listed]:
    """Return the recipients that the field or the words name.

    Whom the notification was sent to is one of them only where nobody else is, and only if `may_be_own`.
    """
    listed = read_listed(text)
    words = {entry.address.lower(): entry.words for entry in listed}
    transcript = {entry.address.lower(): entry for entry in read_transcript(text)}
    failed = [a for value in message.headers.get("x-failed-recipients", ()) for a in find_addresses(value[:20000])]
    foreign = [entry for entry in listed if entry.address.lower() not in outer]
    named = any(address.lower() in words for address in failed)
    if failed and (named or not any(_tells_why(entry.words) for entry in foreign)):
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


def _tells_why(words: str) -> bool:
    """Say whether the words beside an address are about trouble: it may also be the one that a letter greets."""
    return _holds_reply(words) or _is_trouble(words.lower()) or _is_failure(words.lower())


def _says_delay(subject: str, text: str) -> bool:
    """Say whether the mail is late and under way; a code of class 5 in the text outweighs a word in it."""
    lower = begin_of(text)
    return not _is_failure(lower) and (
        _is_delay(subject) or (_is_delay(lower) and not holds_permanent(text[:MAX_CODED_CHARS]))
    )


def _holds_reply(text: str) -> bool:
    """Say whether a code of failure stands in words of an unknown language."""
    text = text[:MAX_CODED_CHARS]
    return bool(reply_code(text)) or holds_code(text)


def _is_soft_only(gate: Gate, text: str) -> bool:
    """Say whether nothing but 4xx or a span of time speaks, in a language that no table knows: tries may go on."""
    lower = begin_of(text)
    if not gate.needs_list or find_start(text) >= 0 or _is_failure(lower):
        return reply_code(text)[:1] == "4" and not _is_trouble(f"{gate.subject} {lower}")
    return not holds_permanent(text[:MAX_CODED_CHARS])


def _kind_of(recipients: tuple[Recipient, ...]) -> Kind:
    actions = {recipient.action for recipient in recipients}
    if "failed" in actions:
        return Kind.BOUNCE
    return Kind.DELAYED if "delayed" in actions else Kind.OTHER
