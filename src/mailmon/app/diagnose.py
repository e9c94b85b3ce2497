"""A mail server, examined from outside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from mailmon.app.findings import read_nameservers
from mailmon.config import Setup
from mailmon.diagnose.blocklists import LISTS
from mailmon.diagnose.plan import SUBJECT, Options, Request, kinds_for, split_target
from mailmon.errors import ConfigError, MailmonError, UsageError
from mailmon.model.diagnosis import Diagnosis, Left

if TYPE_CHECKING:
    from mailmon.diagnose.run import Progress

DEADLINE_S = 30.0


class Wanted(NamedTuple):
    """What to examine and how, as a person writes it. `host` may name a port: HOST:PORT[:KIND].

    `relay` is "none", "one" (a single RCPT) or "all". An empty text or None stands for the default.
    """

    host: str
    ports: tuple[str, ...] = ()
    kind: str | None = None
    ca_file: str | None = None
    timeout_s: float = 10.0
    deadline_s: float | None = None
    relay: str = "one"
    relay_recipient: str = ""
    mail_from: str = ""
    is_trusted: bool = False
    is_nolisting: bool = False
    is_intrusive: bool = False
    mailbox: str = ""
    helo: str = ""
    account: str = ""
    family: str = "auto"
    nameservers: tuple[str, ...] = ()
    dnsbl: bool = False


class Plan(NamedTuple):
    """What `diagnose` does, read and checked. `load` returns the setup of the configuration, None where there is none;
    it is called only for an account, and to remove what the smuggling test has left."""

    request: Request
    options: Options
    load: Callable[[], Setup | None]


def plan(wanted: Wanted, load: Callable[[], Setup | None] = lambda: None) -> Plan:
    """Return what to do. Raises UsageError for a value that cannot be used."""
    if wanted.relay not in ("none", "one", "all"):
        raise UsageError(f"must be none, one or all, got {wanted.relay[:80]!r}", field="relay")
    try:
        name, named = split_target(wanted.host)
        ports = wanted.ports or named
        kinds = kinds_for(tuple(ports), wanted.kind)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    nameservers = read_nameservers(wanted.nameservers)
    is_whole_host = not ports and wanted.kind is None
    request = Request(name, tuple(kinds), is_whole_host, nameservers, LISTS if wanted.dnsbl else ())
    return Plan(request, _options(wanted, load), load)


def diagnose(planned: Plan, progress: Progress = lambda _done, _all, _what: None) -> Diagnosis:
    """Examine a mail server. Raises MailmonError only for a CA file that cannot be read."""
    from mailmon.diagnose.run import diagnose as examine

    result = examine(planned.request, planned.options, progress)
    if not result.left:
        return result
    return result._replace(notes=(*result.notes, *_clean_up(result.left, planned.load)))


def _options(wanted: Wanted, load: Callable[[], Setup | None]) -> Options:
    options = Options(
        wanted.ca_file,
        wanted.timeout_s,
        wanted.deadline_s or max(DEADLINE_S, 4 * wanted.timeout_s),
        wanted.relay,
        is_trusted=wanted.is_trusted,
        is_nolisting=wanted.is_nolisting,
        is_intrusive=wanted.is_intrusive,
        mailbox=_address(wanted.mailbox),
        helo=_one_word(wanted.helo),
        family=wanted.family,
    )
    if wanted.relay_recipient:
        options = options._replace(relay_recipient=_address(wanted.relay_recipient))
    if wanted.mail_from:
        options = options._replace(mail_from=_address(wanted.mail_from))
    if wanted.account:
        setup = load()
        if setup is None:
            raise ConfigError("account", ["requires a configuration"])
        accounts = setup.accounts
        if wanted.account not in accounts:
            raise UsageError(f"unknown account {wanted.account!r} (configured: {', '.join(accounts)})")
        account = accounts[wanted.account]
        helo = options.helo or (account.smtp.helo if account.smtp else "")
        options = options._replace(username=account.username, password=account.password.value, helo=helo)
    return options


def _address(text: str) -> str:
    if text and (text.count("@") != 1 or not text.isascii() or any(char in text for char in '<> \r\n\t"')):
        raise UsageError(f"{text[:80]!r} is not an address like user@example.org")
    return text


def _one_word(text: str) -> str:
    if text and (not text.isascii() or not text.isprintable() or " " in text):
        raise UsageError(f"must be a host name, got {text[:80]!r}", field="helo")
    return text


def _clean_up(left: tuple[Left, ...], load: Callable[[], Setup | None]) -> Iterator[str]:
    """Delete the messages of the tests from mailboxes that a configured account reads; yield notes about them."""
    for mailbox, tokens in left:
        count, trouble = 0, "no configured account reads it by IMAP"
        try:
            count, trouble = _remove(mailbox, tokens, load)
        except MailmonError as exc:
            trouble = exc.message.splitlines()[0]
        if count:
            yield f"the smuggling test sent {len(tokens)} messages to {mailbox}; {count} were deleted"
        if count < len(tokens):
            still = f"{len(tokens) - count} messages in {mailbox} (Subject: {SUBJECT})"
            yield f"the smuggling test left {still}: delete them ({trouble})"


def _remove(mailbox: str, tokens: tuple[str, ...], load: Callable[[], Setup | None]) -> tuple[int, str]:
    """Return how many messages were deleted from a mailbox, and why others are left."""
    from mailmon.checks.leftovers import remove_left
    from mailmon.clients.deadline import Deadline
    from mailmon.clients.resolver import resolver_for
    from mailmon.diagnose.intrusive import MARK_FIELD

    setup = load()
    if setup is None:
        return 0, "no configuration with an account that reads it"
    readers = (one for one in setup.accounts.values() if one.imap and one.address.lower() == mailbox.lower())
    account = next(readers, None)
    if account is None:
        return 0, "no configured account reads it by IMAP"
    resolve = resolver_for(setup.nameservers)
    return remove_left(account, MARK_FIELD, tokens, Deadline(30.0), resolve), f"not found in {account.folder} yet"
