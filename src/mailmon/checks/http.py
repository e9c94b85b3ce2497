"""Web pages: webmail, autoconfig, CalDAV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Annotated, NamedTuple

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.checks.check import NO_REPLY, ConfigContext, HostCheck
from mailmon.checks.context import RunContext
from mailmon.checks.options import CertificateDays, CheckOptions, CriticalDays
from mailmon.findings import make_finding
from mailmon.metrics import make_metric
from mailmon.model import Fact, Finding, Note, Verdict
from mailmon.text import visible
from mailmon.typedjson.declare import About, Between, Duration, Matching, Name, Timeout, options, seconds

MAX_BYTES = 256 * 1024
Status = Annotated[int, Between(100, 599)]


@options
class PageOptions:
    """A web page, and the answer to expect. Redirects are not followed: a redirect can be the expected answer."""

    url: Annotated[str, Matching(r"https?://[A-Za-z0-9.-]+(?::\d{1,5})?(?:/[!-~]*)?", "an http or https URL")]
    status: Annotated[tuple[Status, ...], About("Accepted statuses")] = (200,)
    contains: Annotated[str, About("Text that the page must contain")] = ""
    headers: Annotated[dict[str, str], About("Header fields, and what each must contain")] = field(default_factory=dict)
    ca_file: Annotated[str | None, About("PEM file of the CA to trust; replaces the system's certificates")] = None
    timeout_s: Annotated[Timeout, About("Timeout of the whole answer, in seconds")] = 10.0


@options
class HttpOptions(CheckOptions):
    """Web pages: webmail, CalDAV, anything that answers by HTTP."""

    pages: Annotated[dict[Name, PageOptions], About("Pages by name")] = field(default_factory=dict)
    interval: Annotated[Duration, About("Time between two checks; by default every run checks")] = 0
    certificate_days: CertificateDays = None
    certificate_critical_days: CriticalDays = None


class Page(NamedTuple):
    """A page, and the answer to expect: one of these statuses, with this text in its body, with these header fields."""

    name: str
    interval_s: float
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


def targets(asked: HttpOptions, config: ConfigContext) -> Iterator[Page]:
    """Yield the pages to check."""
    from urllib.parse import urlsplit

    for name, own in asked.pages.items():
        parts = urlsplit(own.url)
        is_tls = parts.scheme == "https"
        yield Page(
            name,
            seconds(asked.interval),
            parts.hostname or "",
            parts.port or (443 if is_tls else 80),
            (parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
            is_tls,
            own.status,
            own.contains,
            tuple(own.headers.items()),
            config.path(own.ca_file),
            own.timeout_s,
            CertificateLimits(asked.certificate_days, asked.certificate_critical_days),
        )


def run(context: RunContext, page: Page) -> Iterator[Fact]:
    """Request the page once."""
    from mailmon.clients.fetch import Fetch, FetchError

    deadline = context.environment.deadline
    addresses = tuple(address for _, (address, _) in context.environment.resolve(page.host, page.port, deadline))
    fetch = Fetch(page.host, page.port, page.path, addresses, page.ca_file, MAX_BYTES, page.is_tls)
    begun_s = deadline.monotonic()
    try:
        answer = fetch.ask(deadline.bound_s(page.timeout_s))
    except FetchError as exc:
        finding_id, found = ("http.timeout", NO_REPLY) if exc.is_ours else ("http.unreachable", "")
        yield make_finding(finding_id, Verdict.FAIL, page.target, exc.message, found=found)
        return
    yield make_metric("answer_s", round(deadline.monotonic() - begun_s, 4))
    yield from certificate_facts(answer.certificate, page.certificate_limits, page.target, context.environment.now())
    yield from _judge(page, answer.status, answer.headers, answer.body)
    yield Note(f"OK ({answer.status})")


def _judge(page: Page, status: int, headers: Mapping[str, str], body: bytes) -> Iterator[Finding]:
    if status not in page.statuses:
        wanted = " or ".join(map(str, page.statuses))
        yield _wrong(page, "http.status", f"answered {status}, not {wanted}", wanted, str(status))
    for name, value in page.headers:
        found = visible(headers.get(name.lower(), ""), 200)
        if value not in found or not found:
            yield _wrong(
                page, "http.header", f"header field {name} does not contain {value!r}", value, found or "nothing"
            )
    if page.contains and page.contains not in body.decode("utf-8", "replace"):
        yield _wrong(page, "http.content", f"the page does not contain {page.contains!r}", page.contains, "")


def _wrong(page: Page, finding_id: str, said: str, expected: str, found: str) -> Finding:
    words = f"{page.target}{visible(page.path, 100)}: {said}"
    return make_finding(finding_id, Verdict.FAIL, page.target, words, expected=expected, found=found)


# A page that is late once is no outage.
CHECK = HostCheck(
    name="http",
    label="Web page",
    about="Requests a web page and checks status, contents and certificate.",
    options=HttpOptions,
    targets=targets,
    run=run,
    failure_threshold=2,
)
