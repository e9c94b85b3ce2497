"""What do all kinds of records share? The domain, its MX hosts, how questions are asked, and where answers go."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Answer, Answered, Records, spf_questions
from mailmon.diagnose.sts import Sts
from mailmon.domain.plan import Options
from mailmon.findings import Findings
from mailmon.mail.auth.spf import Found
from mailmon.mail.caps import MAX_RECORD_CHARS
from mailmon.mail.records.mx import Exchanger
from mailmon.model.dns import Published
from mailmon.model.findings import Severity, Verdict
from mailmon.text import utf8_text, visible

# What stands there is compared with what is expected, so neither is cut before the other.
MAX_SHOWN = MAX_RECORD_CHARS
# No host and no signer has this name: what is found there is found everywhere.
NOBODY = "mailmon-asks-for-nothing"
_BAD = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING)


class DomainContext(NamedTuple):
    """One domain that is looked at; `exchangers` have the preferred first, and are none where mail is not taken."""

    domain: str
    options: Options
    records: Records
    deadline: Deadline
    questions: Executor
    mx: Answer = Answer(Answered.NODATA)
    exchangers: tuple[Exchanger, ...] = ()
    today: str = ""
    sts: Sts | None = None

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the names of the MX hosts, each once."""
        return tuple(dict.fromkeys(one.host for one in self.exchangers))

    @property
    def is_null_mx(self) -> bool:
        """Say whether the domain says that it takes no mail (RFC 7505)."""
        return any(value.split()[1:] in ([], ["."]) for value in self.mx.values)

    @property
    def mail_host(self) -> str:
        """Return the name of the mail server: the one that was given, the first MX host, or a proposal."""
        return self.options.host or (self.hosts[0] if self.hosts else f"mail.{self.domain}")

    def ask_all(self, questions: Sequence[tuple[str, str]]) -> list[Answer]:
        """Ask several questions side by side."""
        return list(self.questions.map(lambda question: self.records.ask(*question), questions))

    def ask_for_spf(self, name: str, kind: str) -> Found:
        """Ask as the readers of SPF and DMARC do."""
        return spf_questions(self.records)(name, kind)


class RecordCheck:
    """Collects what one kind of record comes to."""

    def __init__(self, scene: DomainContext) -> None:
        self.scene = scene
        self.domain = scene.domain
        self.found = Findings(scene.domain)
        self.rows: list[Published] = []

    def row(
        self,
        name: str,
        kind: str,
        purpose: str,
        expected: str | tuple[str, ...],
        answer: Answer,
        *,
        is_bad: bool = False,
    ) -> None:
        """Add what stands, and should stand, under a name; `is_bad` where a finding is about it."""
        wanted = (expected,) if isinstance(expected, str) else expected
        is_known = answer.kind is not Answered.FAILED
        found = tuple(visible(utf8_text(value), MAX_SHOWN) for value in answer.values)
        lines = "\n".join(visible(utf8_text(value), MAX_SHOWN) for value in wanted)
        self.rows.append(Published(name, kind, purpose, lines, found, answer.ttl_s, is_known, is_bad, answer.alias))

    def has_failed(self, prefix: str, since: int = 0) -> bool:
        """Say whether a warning or worse was told by an id that begins so, among the findings from `since` on."""
        return any(
            one.status is Verdict.FAIL and one.id.startswith(prefix) and one.severity in _BAD
            for one in self.found.all[since:]
        )

    def tell_unknown(self, finding_id: str, what: str, answer: Answer) -> None:
        """Say that something could not be looked up; what does not validate is a fault of the domain."""
        if answer.is_bogus:
            self.found.fail("dns.dnssec_bogus", "DNSSEC signatures do not validate: many receivers see nothing there")
        self.found.unknown(finding_id, f"{what} could not be looked up: {answer.why}")
