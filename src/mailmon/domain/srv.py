"""SRV and autoconfig: where clients find their servers (RFC 6186, RFC 8314, RFC 5804)."""

from __future__ import annotations

from typing import NamedTuple

from mailmon.clients.fetch import Fetch, FetchError
from mailmon.clients.records import Answer, Answered
from mailmon.diagnose.session import Session
from mailmon.domain.context import NOBODY, RecordCheck
from mailmon.mail.records.autoconfig import Service, read_autoconfig
from mailmon.mail.records.tags import Mistake
from mailmon.model.diagnosis import Endpoint
from mailmon.model.findings import Verdict
from mailmon.text import visible

MAX_BYTES = 256 * 1024
PATH = "/mail/config-v1.1.xml"
PURPOSE = "where clients find it"
# These statuses mean that there is no such file.
_NO_FILE = (401, 403, 404, 410)


class Kind(NamedTuple):
    """The protocol of a service, and its usual port."""

    protocol: str
    port: int
    is_implicit_tls: bool = False


KINDS = {
    "_imaps": Kind("imap", 993, True),
    "_imap": Kind("imap", 143),
    "_pop3s": Kind("pop3", 995, True),
    "_pop3": Kind("pop3", 110),
    "_submissions": Kind("smtp", 465, True),
    "_submission": Kind("smtp", 587),
    "_sieve": Kind("sieve", 4190),
}
_BY_PORT = {kind.port: name for name, kind in KINDS.items()}
# Findings that make a named server unusable.
_WRONG = ("tcp.unreachable", "tls.handshake_failed", "tls.cert_name", "tls.cert_expired")


def service_records(domain: str, host: str) -> tuple[tuple[str, str], ...]:
    """Return the names and values of the SRV records by which clients find their servers (RFC 6186, RFC 8314)."""
    return (
        (f"_imaps._tcp.{domain}", f"0 1 993 {host}"),
        (f"_submissions._tcp.{domain}", f"0 1 465 {host}"),
        (f"_submission._tcp.{domain}", f"0 1 587 {host}"),
    )


def run(check: RecordCheck) -> None:
    """Judge the SRV records and the autoconfig file, compare them, and connect to the servers that they name."""
    names = [f"{service}._tcp.{check.domain}" for service in KINDS]
    answers = check.context.ask_all([(name, "SRV") for name in names])
    named: dict[Service, str] = {}
    for service, name, answer in zip(KINDS, names, answers, strict=True):
        if answer.kind is Answered.FAILED:
            check.report_unknown("dns.srv_mismatch", f"the SRV record {name}", answer)
        else:
            since = len(check.found.all)
            better: list[str] = []
            for value in answer.values:
                services, proposed = _judge_record(check, service, name, value)
                named |= services
                better += [proposed] if proposed and proposed not in better else []
            is_bad = check.has_failed("dns.srv_mismatch", since)
            shown = _with_dots(answer)
            check.row(name, "SRV", PURPOSE, tuple(better) if is_bad else shown.values, shown, is_bad=is_bad)
    if check.context.options.connects:
        configured = _check_autoconfig(check)
        _compare(check, named, configured)
        _try_out(check, {**dict.fromkeys(configured, "autoconfig"), **named})
    elif named:
        check.found.passed("dns.srv_mismatch", f"its {len(named)} SRV records name hosts that exist")


def _with_dots(answer: Answer) -> Answer:
    """Return the answer with the root as target of services that are not offered (RFC 6186 section 3.4)."""
    values = (value if value.split()[3:] else f"{value.strip()} ." for value in answer.values)
    return answer._replace(values=tuple(values))


def _judge_record(check: RecordCheck, service: str, name: str, value: str) -> tuple[dict[Service, str], str]:
    """Judge one record; return the service that it names, if usable, and the record that should be published."""
    words = value.split()
    if len(words) < 4 or words[3] == ".":
        return {}, " ".join([*words[:3], "."])  # the service is not offered (RFC 6186 section 3.4)
    port, host = int(words[2]), words[3].rstrip(".")
    kind = KINDS[service]
    other = _BY_PORT.get(port, service)
    addresses, trouble = check.context.records.addresses(host)
    answers = check.context.ask_all([(host, "A"), (host, "AAAA")])
    canonical = next((one.canonical for one in answers if one.values and one.canonical), host)
    wrong = ""
    better = f"{words[0]} {words[1]} {port if other == service else kind.port}"
    if other != service:
        wrong = f"names port {port}, the port of {other}"
    elif not addresses and trouble and trouble.kind is Answered.FAILED:
        check.found.unknown("dns.srv_mismatch", f"{name}: the address of {host} could not be looked up: {trouble.why}")
        return {}, f"{better} {host}"
    elif not addresses:
        wrong = f"names {host}, which has no address"
        host = check.context.mail_host if check.context.records.addresses(check.context.mail_host)[0] else ""
    elif canonical.lower() != host.lower():
        wrong = f"names {host}, which is an alias (CNAME); RFC 2782 requires the host itself"
        host = canonical
    if wrong:
        check.found.fail("dns.srv_mismatch", f"{name} {wrong}", found=value)
        return {}, f"{better} {host}" if host else ""
    return {Service(kind.protocol, host, port, kind.is_implicit_tls): name}, f"{better} {host}"


def _check_autoconfig(check: RecordCheck) -> list[Service]:
    """Return the services that the autoconfig file names, none if there is no such file."""
    host = f"autoconfig.{check.domain}"
    addresses, _ = check.context.records.addresses(host)
    if not addresses:
        return []
    options = check.context.options
    path = f"{PATH}?emailaddress=postmaster@{check.domain}"
    fetch = Fetch(host, options.https_port, path, addresses, options.ca_file, MAX_BYTES)
    try:
        services = read_autoconfig(fetch.run(check.context.deadline.bound_s(options.timeout_s)).text)
    except (FetchError, Mistake) as exc:
        if (isinstance(exc, FetchError) and exc.status in _NO_FILE) or _is_by_wildcard(check, addresses):
            return []
        _report_unusable(check, exc)
        return []
    return list(services)


def _is_by_wildcard(check: RecordCheck, addresses: tuple[str, ...]) -> bool:
    """Return whether any name below the domain has these addresses: then no autoconfig file is intended."""
    return set(check.context.records.addresses(f"{NOBODY}.{check.domain}")[0]) >= set(addresses)


def _report_unusable(check: RecordCheck, exc: FetchError | Mistake) -> None:
    if isinstance(exc, FetchError):
        said = f"the autoconfig file cannot be fetched: {exc.message}"
        if exc.is_ours:
            check.found.unknown("dns.srv_mismatch", said)
        else:
            check.found.fail("dns.srv_mismatch", said)
        return
    check.found.fail("dns.srv_mismatch", f"the autoconfig file: {visible(str(exc), 200)}")


def _compare(check: RecordCheck, named: dict[Service, str], configured: list[Service]) -> None:
    for service in configured:
        same = [one for one in named if one[0] == service.protocol and one.is_implicit_tls == service.is_implicit_tls]
        if same and service not in same:
            wanted = ", ".join(f"{one.host}:{one.port}" for one in same)
            said = f"autoconfig sends clients to {service.host}:{service.port}, SRV to {wanted}"
            check.found.fail("dns.srv_mismatch", said, expected=wanted, found=f"{service.host}:{service.port}")


def _try_out(check: RecordCheck, named: dict[Service, str]) -> None:
    """Connect to the services that clients are directed to."""
    context = check.context
    endpoints = []
    for one in named:
        addresses, _ = context.records.addresses(one.host)
        if addresses:
            needs_login = one.protocol == "smtp"
            endpoints.append(Endpoint(one.host, addresses[0], one.port, one.protocol, one.is_implicit_tls, needs_login))
    sources = {(one.host, one.port): source for one, source in named.items()}
    sessions = context.servers.examine(endpoints)
    wrong = [(one, words) for one in sessions for words in _wrong_with(one)]
    for session, words in wrong:
        source = sources[session.endpoint.host, session.endpoint.port]
        check.found.fail("dns.srv_mismatch", f"{source} sends clients to {words}", found=session.endpoint.target)
    for session in sessions:
        if not session.is_open and session not in [one for one, _ in wrong]:
            check.found.unknown("dns.srv_mismatch", f"{session.endpoint.target} does not answer from here")
    if sessions and not wrong:
        check.found.passed("dns.srv_mismatch", f"the {len(sessions)} servers that clients are sent to are right")


def _wrong_with(session: Session) -> list[str]:
    return [
        one.message
        for one in session.found.all
        if one.status is Verdict.FAIL and (one.id in _WRONG or one.id.endswith(("_on_tls_port", "_on_plain_port")))
    ]
