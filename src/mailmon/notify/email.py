"""E-mail: through the monitored accounts, one after the other until one accepts the alert.

Accounts that the alert itself reports as troubled come last. An alert about the only mail server there is needs another
channel beside this one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from mailmon.errors import DeliveryError, MailmonError, Stage, StageError
from mailmon.model import Alert, Health
from mailmon.notify.channel import Channel, ChannelOptions, Notifier
from mailmon.text import Masker, count, fit_characters, join_words
from mailmon.typedjson.declare import About, Address, Name, options

if TYPE_CHECKING:
    from mailmon.clients.account import Account
    from mailmon.clients.deadline import Deadline
    from mailmon.clients.smtp import Accepted
    from mailmon.clients.tls import TlsContexts

MAX_RECIPIENTS = 20
MIN_ATTEMPT_S = 0.2
MAX_WORDS = 400

_TROUBLED = (Health.DOWN, Health.FAILING, Health.UNKNOWN)
# Answers of a server that works: it will say the same next time, unless the reply itself calls it temporary.
_REFUSALS = ("auth_not_offered", "data_refused", "greeting_rejected", "login_refused", "mail_refused", "rcpt_refused")


@options
class EmailOptions(ChannelOptions):
    """Mail through accounts of this configuration."""

    type: Literal["email"] = "email"
    to: Annotated[tuple[Address, ...], About("Addresses of the people to tell")]
    accounts: Annotated[
        tuple[Name, ...], About("Accounts to send through, the preferred one first; by default all that have SMTP")
    ] = ()

    def __post_init__(self) -> None:
        if not 1 <= len(self.to) <= MAX_RECIPIENTS:
            raise ValueError(f"to: must be a list of 1 to {MAX_RECIPIENTS} addresses")
        if self.ca_file:
            raise ValueError("ca_file: remove it here, that of the account counts")


def send(alert: Alert, channel: Channel[EmailOptions], timeout_s: float) -> str:
    """Send an alert through the first account that accepts it; return the reply. Raises DeliveryError."""
    from mailmon.clients.deadline import Deadline
    from mailmon.clients.tls import TlsContexts
    from mailmon.notify.letter import Envelope, compose

    able, to = [account for account in channel.accounts if account.smtp], channel.options.to
    if not able:
        raise DeliveryError("no account can send mail", "Give an account an smtp server.", is_permanent=True)
    domain = able[0].address.rpartition("@")[2]
    deadline, contexts = Deadline(timeout_s), TlsContexts()
    failures: list[DeliveryError] = []
    for left, account in zip(range(len(able), 0, -1), by_trust(able, alert), strict=True):
        if failures and deadline.remaining_s() < MIN_ATTEMPT_S:
            break
        # One that is silent must leave time for those behind it.
        share_s = deadline.remaining_s() * (0.5 if left > 1 else 1.0)
        message = compose(alert, Envelope(account.address, to, channel.name, domain))
        try:
            return _send_through(account, to, message, Deadline(share_s), contexts)
        except MailmonError as exc:
            failures.append(_explain(exc, account, share_s))
    raise _summary(failures, len(able))


def by_trust(accounts: list[Account], alert: Alert) -> list[Account]:
    """Return the accounts in order, those that the alert reports as failing last."""
    troubled = {name for change in alert.changes if change.after in _TROUBLED for name in change.names}
    return sorted(accounts, key=lambda account: account.name in troubled)


def _send_through(
    account: Account, to: tuple[str, ...], message: bytes, deadline: Deadline, contexts: TlsContexts
) -> str:
    from mailmon.clients.resolver import resolve_with_system
    from mailmon.clients.smtp import SmtpClient
    from mailmon.clients.wire import connect

    server = account.smtp
    assert server is not None
    mask = Masker([account.password.value], [account.username])
    addresses = resolve_with_system(server.host, server.port, deadline)
    client = SmtpClient(connect(server, addresses, deadline, mask), contexts)
    try:
        client.open()
        client.login(account.username, account.password.value)
        accepted = client.send_to_any(account.address, to, message)
    finally:
        client.close()
    return _acknowledgement(server.target, to, accepted, mask)


def _acknowledgement(target: str, to: tuple[str, ...], accepted: Accepted, mask: Masker) -> str:
    refused = dict(accepted.refused)
    taken = join_words(address for address in to if address not in refused)
    queue_id = f" as queue id {accepted.queue_id}" if accepted.queue_id else ""
    refusals = "".join(f"; it refused {address}: {reply}" for address, reply in refused.items())
    return fit_characters(mask(f"{target} accepted it for {taken}{queue_id}{refusals}"), MAX_WORDS)


def _explain(exc: MailmonError, account: Account, share_s: float) -> DeliveryError:
    if not isinstance(exc, StageError):
        return DeliveryError(f"{account.name}: {exc.message}", exc.advice)
    problem = exc.finding_id.partition(".")[2]
    if problem == "timeout":
        return DeliveryError(f"{exc.target}: {exc.stage}: no answer within {share_s:.3g} s")
    advice = "Check the addresses in the channel's `to`." if exc.stage is Stage.RCPT else exc.advice
    is_permanent = problem in _REFUSALS and not exc.is_temporary
    return DeliveryError(exc.message, advice, is_permanent=is_permanent)


def _summary(failures: list[DeliveryError], accounts: int) -> DeliveryError:
    if accounts == 1:
        return failures[0]
    untried = f" ({count(accounts - len(failures), 'account')} not tried)" if len(failures) < accounts else ""
    messages = "; ".join(failure.message for failure in failures)
    is_permanent = len(failures) == accounts and all(failure.is_permanent for failure in failures)
    advice = next((failure.advice for failure in failures if failure.advice), "")
    return DeliveryError(f"no account could send it{untried}: {messages}", advice, is_permanent=is_permanent)


NOTIFIER = Notifier("email", EmailOptions, send)
