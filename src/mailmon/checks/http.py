"""Does a web page answer as it should: webmail, autoconfig, CalDAV?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import SILENCE, Check
from mailmon.checks.context import RunContext
from mailmon.checks.targets import Host
from mailmon.model import Fact, Finding, Metric, Note, Severity, Verdict
from mailmon.text import visible

MAX_BYTES = 256 * 1024


class Page(NamedTuple):
    """A page, and how it must answer: with one of these statuses, with words in its body, with header fields."""

    host: str
    port: int
    path: str
    is_tls: bool
    statuses: tuple[int, ...] = (200,)
    contains: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    ca_file: str | None = None
    timeout_s: float = 10.0
    certificate_limits: CertificateLimits = CertificateLimits()

    @property
    def target(self) -> str:
        """Return `host:port`."""
        return f"{self.host}:{self.port}"


def ask(tools: RunContext, host: Host) -> Iterator[Fact]:
    """Ask for the page once."""
    from mailmon.clients.fetch import Fetch, FetchError

    page = host.page
    assert page is not None
    deadline = tools.world.deadline
    addresses = tuple(address for _, (address, _) in tools.world.resolve(page.host, page.port, deadline))
    fetch = Fetch(page.host, page.port, page.path, addresses, page.ca_file, MAX_BYTES, page.is_tls)
    begun_s = deadline.monotonic()
    try:
        answer = fetch.ask(deadline.bound_s(page.timeout_s))
    except FetchError as exc:
        finding_id, found = ("http.timeout", SILENCE) if exc.is_ours else ("http.unreachable", "")
        yield Finding(finding_id, Verdict.FAIL, page.target, exc.message, Severity.ERROR, found=found, fix=_LOOK)
        return
    yield Metric("answer_s", round(deadline.monotonic() - begun_s, 4))
    yield from certificate_facts(answer.certificate, page.certificate_limits, page.target, tools.world.now())
    yield from _judge(page, answer.status, answer.headers, answer.body)
    yield Note(f"OK ({answer.status})")


def _judge(page: Page, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[Finding]:
    if status not in page.statuses:
        wanted = " or ".join(map(str, page.statuses))
        yield _wrong(page, "http.status", f"answered {status}, not {wanted}", wanted, str(status))
    for name, value in page.headers:
        found = visible(headers.get(name.lower(), ""), 200)
        if value not in found or not found:
            yield _wrong(page, "http.header", f"the field {name} does not hold {value!r}", value, found or "nothing")
    if page.contains and page.contains not in body.decode("utf-8", "replace"):
        yield _wrong(page, "http.content", f"the page does not hold {page.contains!r}", page.contains, "")


def _wrong(page: Page, finding_id: str, said: str, expected: str, found: str) -> Finding:
    words = f"{page.target}{visible(page.path, 100)}: {said}"
    return Finding(
        finding_id, Verdict.FAIL, page.target, words, Severity.ERROR, expected=expected, found=found, fix=_LOOK
    )


_LOOK = "Look at the web server's log and at what stands before it."

CHECK = Check("http", "Web page", ask)
