"""What are checks asked for? Accounts and routes, with their credentials resolved."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from mailmon.clients.account import Account
from mailmon.mail.probe.probe import Form

if TYPE_CHECKING:  # what only some checks need is loaded only where somebody has them
    from mailmon.checks.certificate_file import CertificateFile
    from mailmon.checks.http import Page
    from mailmon.checks.queue import QueueSettings
    from mailmon.diagnose.blocklists import BlockList
    from mailmon.diagnose.plan import Options
    from mailmon.domain.options import Options as DomainOptions
    from mailmon.mail.probe.expected import Expected

__all__ = ["Account", "Host", "Route"]


class Route(NamedTuple):
    """A way that mail must go: from an account, to an address, seen in an account within `timeout_s` seconds.

    A delivery that takes longer than `warning_s` is warned of, one longer than `critical_s` counts as failed. It is
    asked every `interval_s` seconds, 0: in every run. With `patience_s` no run waits: later ones look whether the
    probe is there. An arrival in one of `junk_folders` counts as failed.
    """

    name: str
    sender: Account
    recipient: str
    reader: Account
    timeout_s: float = 60.0
    warning_s: float | None = None
    critical_s: float | None = None
    interval_s: float = 0.0
    patience_s: float | None = None
    junk_folders: tuple[str, ...] = ()
    form: Form = Form()
    expected: Expected | None = None

    @property
    def target(self) -> str:
        """Return the server at which the probe must be seen."""
        return self.reader.target_of(self.reader.reads_by) or self.reader.name


class Host(NamedTuple):
    """A host or a domain that is looked at, or an address that is looked up, every `interval_s` seconds.

    `skip` are findings that nobody wants to hear of. `options` are those of a diagnosis, `lists` the block lists,
    `survey` how a domain is looked at, `page` a web page, `queue` a mail queue,
    `certificate` a certificate's file.
    """

    name: str
    interval_s: float
    skip: tuple[str, ...] = ()
    nameservers: tuple[tuple[str, int], ...] = ()
    options: Options | None = None
    lists: tuple[BlockList, ...] = ()
    survey: DomainOptions | None = None
    page: Page | None = None
    queue: QueueSettings | None = None
    certificate: CertificateFile | None = None
