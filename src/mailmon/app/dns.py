"""The DNS records of a domain, compared with what they should be and with its servers."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from mailmon.app.findings import read_address, read_nameservers
from mailmon.domain.options import Options, read_domain, read_selector
from mailmon.errors import UsageError
from mailmon.model.dns import Survey

if TYPE_CHECKING:
    from mailmon.diagnose.run import Progress


class Wanted(NamedTuple):
    """What to check and how, as a person writes it.

    `addresses` are those that mail is sent from; `host` and `dkim_key` are for a domain without records yet.
    """

    domain: str
    selectors: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    host: str = ""
    dkim_key: Path | None = None
    connects: bool = True
    ca_file: str | None = None
    timeout_s: float = 5.0
    deadline_s: float = 30.0
    nameservers: tuple[str, ...] = ()


class Plan(NamedTuple):
    """What `survey` does, read and checked."""

    domain: str
    options: Options


def plan(wanted: Wanted) -> Plan:
    """Return what to do. Raises UsageError for a value that cannot be used."""
    if wanted.dkim_key and not wanted.selectors:
        raise UsageError("requires a selector, the name under which the key is published", field="dkim_key")
    try:
        options = Options(
            read_nameservers(wanted.nameservers),
            wanted.timeout_s,
            wanted.deadline_s,
            wanted.connects,
            wanted.ca_file,
            tuple(map(read_selector, wanted.selectors)),
            tuple(read_address(one, "addresses") for one in wanted.addresses),
            read_domain(wanted.host) if wanted.host else "",
            _key(wanted.dkim_key),
        )
        return Plan(read_domain(wanted.domain), options)
    except ValueError as exc:
        raise UsageError(str(exc)) from exc


def survey(planned: Plan, progress: Progress = lambda _done, _all, _what: None) -> Survey:
    """Check the records of a domain. Raises MailmonError only for a CA file that cannot be read."""
    from mailmon.domain.survey import survey as check_records

    return check_records(planned.domain, planned.options, progress)


def _key(path: Path | None) -> str:
    if path is None:
        return ""
    from mailmon.domain.dkim import read_key_file

    return read_key_file(path)
