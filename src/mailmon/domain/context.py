"""What all record checks share: the domain with its MX hosts and resolver, and the collection of results."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Answer, Answered, Records, spf_questions
from mailmon.diagnose.mta_sts import MtaStsPolicy
from mailmon.domain.options import Options
from mailmon.domain.servers import Servers
from mailmon.findings import Findings
from mailmon.mail.auth.spf import Found
from mailmon.mail.caps import MAX_RECORD_CHARS
from mailmon.mail.records.mx import Exchanger
from mailmon.mail.records.tags import Mistake
from mailmon.model.dns import Published, SpfLine
from mailmon.model.findings import Severity, Verdict
from mailmon.text import utf8_text, visible

# Published and expected values are compared, so both are cut at the same length.
MAX_SHOWN = MAX_RECORD_CHARS
# No host and no signer has this name: what is found there is a wildcard.
NOBODY = "mailmon-asks-for-nothing"
_BAD = (Severity.CRITICAL, Severity.ERROR, Severity.WARNING)


class DomainContext(NamedTuple):
    """The domain that is checked; `mx_records` have the preferred first, and are empty if it accepts no mail."""

    domain: str
    options: Options
    records: Records
    deadline: Deadline
    questions: Executor
    sts: MtaStsPolicy
    servers: Servers
    mx: Answer = Answer(Answered.NODATA)
    mx_records: tuple[Exchanger, ...] = ()
    today: str = ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the names of the MX hosts, each once."""
        return tuple(dict.fromkeys(one.host for one in self.mx_records))

    @property
    def is_null_mx(self) -> bool:
        """Return whether the domain declares that it accepts no mail (RFC 7505)."""
        return any(value.split()[1:] in ([], ["."]) for value in self.mx.values)

    @property
    def mail_host(self) -> str:
        """Return the name of the mail server: the given one, the first MX host, or a proposal."""
        return self.options.host or (self.hosts[0] if self.hosts else f"mail.{self.domain}")

    def ask_all(self, questions: Sequence[tuple[str, str]]) -> list[Answer]:
        """Look up several records side by side."""
        return list(self.questions.map(lambda question: self.records.ask(*question), questions))

    def ask_for_spf(self, name: str, kind: str) -> Found:
        """Look up a record for the readers of SPF and DMARC."""
        return spf_questions(self.records)(name, kind)


class OnlyRecord(NamedTuple):
    """A kind of TXT record of which one may be published, at the name `label`; `prefix` begins its finding ids.

    `is_near` recognises texts that were meant to be one, `missing` is the message if there is none.
    """

    title: str
    prefix: str
    label: str
    purpose: str
    version: str
    is_one: Callable[[str], bool]
    is_near: Callable[[str], bool]
    read: Callable[[str], object]
    propose: Callable[[tuple[str, ...]], str]
    missing: str


class RecordCheck:
    """Collects the results for one kind of record: findings, rows of records, and the tree of SPF."""

    def __init__(self, context: DomainContext) -> None:
        self.context = context
        self.domain = context.domain
        self.found = Findings(context.domain)
        self.rows: list[Published] = []
        self.spf_lines: tuple[SpfLine, ...] = ()

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
        """Add what is published under a name, and what should be; `is_bad` if a finding is about it."""
        wanted = (expected,) if isinstance(expected, str) else expected
        is_known = answer.kind is not Answered.FAILED
        found = tuple(visible(utf8_text(value), MAX_SHOWN) for value in answer.values)
        lines = "\n".join(visible(utf8_text(value), MAX_SHOWN) for value in wanted)
        self.rows.append(Published(name, kind, purpose, lines, found, answer.ttl_s, is_known, is_bad, answer.alias))

    def has_failed(self, prefix: str, since: int = 0) -> bool:
        """Return whether a warning or worse has an id with this prefix, among the findings from `since` on."""
        return any(
            one.status is Verdict.FAIL and one.id.startswith(prefix) and one.severity in _BAD
            for one in self.found.all[since:]
        )

    def report_unknown(self, finding_id: str, what: str, answer: Answer) -> None:
        """Report that something could not be looked up; failed validation (DNSSEC) is the domain's fault."""
        if answer.is_bogus:
            self.report_bogus()
        self.found.unknown(finding_id, f"{what} could not be looked up: {answer.why}")

    def report_bogus(self) -> None:
        """Report that DNSSEC does not validate."""
        self.found.fail("dns.dnssec_bogus", "DNSSEC signatures do not validate: many receivers see nothing there")

    def only_record(self, kind: OnlyRecord) -> str:
        """Judge a record of which there may be one; return it, "" if there is none that is valid.

        Texts with another beginning are not such records (RFC 8461 section 3.1, RFC 8460 section 3): those of a
        wildcard are ignored, and one that was meant to be the record is a mistake.
        """
        name = f"{kind.label}.{self.domain}"
        answer = self.context.records.ask(name, "TXT")
        texts = tuple(filter(kind.is_one, answer.values))
        near = tuple(text for text in answer.values if kind.is_near(text) and text not in texts)
        since = len(self.found.all)
        only = self._judge_texts(kind, answer, texts, near)
        is_bad = self.has_failed(kind.prefix, since) or (not only and bool(texts))
        needs_none = self.context.is_null_mx and not texts and not near
        expected = only or ("" if answer.kind is Answered.FAILED or needs_none else kind.propose(texts or near))
        self.row(name, "TXT", kind.purpose, expected, answer._replace(values=texts or near), is_bad=is_bad)
        return only

    def _judge_texts(self, kind: OnlyRecord, answer: Answer, texts: tuple[str, ...], near: tuple[str, ...]) -> str:
        none, syntax = f"{kind.prefix}.none", f"{kind.prefix}.syntax"
        if answer.kind is Answered.FAILED:
            self.report_unknown(none, f"its {kind.title} record", answer)
        elif len(texts) > 1:
            self.found.fail(syntax, f"there are {len(texts)} {kind.title} records: senders ignore all of them")
        elif texts:
            try:
                kind.read(texts[0])
            except Mistake as exc:
                self.found.fail(syntax, f"the record: {exc}", found=texts[0])
            else:
                return texts[0]
        elif near:
            self.found.fail(syntax, f"the record does not begin with v={kind.version};", found=near[0])
        elif self.context.is_null_mx:
            self.found.skipped(none, "it accepts no mail (null MX)")
        else:
            self.found.fail(none, kind.missing)
        return ""
