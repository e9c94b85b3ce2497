"""What is to be said of a probe that has arrived, or come back? Where else is it looked for?"""

from __future__ import annotations

from collections.abc import Iterator

from mailmon.checks.context import RunContext
from mailmon.checks.targets import Route
from mailmon.errors import StageError
from mailmon.mail.probe import compose
from mailmon.model import Fact, Finding, Metric, Note, Probe, Severity, Verdict
from mailmon.text import visible

MAX_PROBLEMS = 5


def arrived(tools: RunContext, route: Route, probe: Probe, delivery_s: float, error_s: float) -> Iterator[Fact]:
    """Yield how long it took, and whether it came to the right place, as it should be."""
    yield Metric("delivery_s", round(delivery_s, 4))
    yield Metric("delivery_error_s", round(error_s, 4))
    folder = _junk_folder(tools, route, probe.token)
    if folder:
        said = f"Email arrived in {folder} after {delivery_s:.1f}s, not in {route.reader.folder}"
        yield Finding("route.in_junk", Verdict.FAIL, route.target, said, Severity.ERROR, fix=_JUNK)
    yield from _slowness(delivery_s, error_s, route)
    if route.expected:
        yield from _expectations(tools, route, probe, folder)
    yield Note(f"Email delivered in {delivery_s:.1f}s")


def bounced(probe: Probe, target: str) -> Finding:
    """Return that a probe came back."""
    from mailmon.mail.advice import advise, refused_by_bounce

    said = f"{probe.acceptance}, then bounced: {probe.detail}"
    fix = advise(refused_by_bounce(probe.detail)).text
    return Finding("route.bounced", Verdict.FAIL, target, said, Severity.ERROR, evidence=probe.detail, fix=fix)


def look_into_junk(tools: RunContext, route: Route, token: str, *, afresh: bool = False) -> None:
    """Look into the folders that filters sort into; one that is not there holds nothing (`missing_folders`)."""
    for folder in route.junk_folders:
        try:
            place = tools.junk_folder(route.reader, folder)
            place.look_afresh(token) if afresh else place.look(token)
        except StageError as exc:
            if exc.lost or exc.is_silence:
                raise


def look_for_bounce(
    tools: RunContext, route: Route, token: str, *, thoroughly: bool, afresh: bool = False
) -> StageError | None:
    """Look where else it may come: into the sender's mailbox, and its folder with bounces.

    Their trouble is not the route's, so it is returned and not raised.
    """
    try:
        # Asked for each time: its login may still be going on.
        mailbox = tools.mailbox(route.sender) if route.sender.name != route.reader.name else None
        for place in (mailbox, tools.bounce_folder(route.sender)):
            if place and afresh:
                place.look_afresh(token)
            elif place:
                place.look(token, thoroughly=thoroughly)
    except StageError as exc:
        return exc
    return None


def missing_folders(tools: RunContext, route: Route) -> Iterator[Finding]:
    """Yield which of the route's junk folders are not there: what is sorted into them is not seen."""
    mailbox = tools.mailbox(route.reader)
    opened = {place for _, place in tools.opened(route.reader)}
    for folder in route.junk_folders:
        if mailbox is None or folder in opened:
            continue
        refused = tools.missing(route.reader, folder)
        try:
            advice = refused.advice if refused else mailbox.advice_on(folder)
        except StageError:  # a server that does not list folders now is asked again in the next run
            continue
        if advice is not None:
            said = f'there is no junk folder "{visible(folder, 80)}" here: what is sorted into it is not seen'
            evidence = refused.said if refused else ""
            yield Finding(
                "route.folder_missing",
                Verdict.FAIL,
                route.target,
                said,
                Severity.WARNING,
                evidence=evidence,
                fix=advice,
            )


def unread_mail(tools: RunContext, route: Route) -> Iterator[Finding]:
    """Yield what nobody could read of the mail in the folders of a route; it is left where it is."""
    accounts = {account.name: account for account in (route.reader, route.sender)}
    for mailbox, place in (found for account in accounts.values() for found in tools.opened(account)):
        problems = mailbox.take_problems()
        if problems:
            said = f"mail in {place} was not read: {'; '.join(problems[:MAX_PROBLEMS])}"
            said += f" and {len(problems) - MAX_PROBLEMS} more" if len(problems) > MAX_PROBLEMS else ""
            yield Finding("mailbox.unread", Verdict.FAIL, route.target, said, Severity.INFO, fix=_UNREAD)


def _junk_folder(tools: RunContext, route: Route, token: str) -> str:
    """Return the folder in which a probe lies instead of where it belongs, "" where it lies right."""
    mailbox = tools.mailbox(route.reader)
    if not route.junk_folders or (mailbox and mailbox.has(token)):
        return ""
    return next((name for name in route.junk_folders if tools.junk_folder(route.reader, name).has(token)), "")


def _expectations(tools: RunContext, route: Route, probe: Probe, folder: str) -> Iterator[Finding]:
    from mailmon.mail.received import judge

    assert route.expected is not None
    mailbox = tools.junk_folder(route.reader, folder) if folder else tools.mailbox(route.reader)
    raw = mailbox.read(probe.token) if mailbox else b""
    if not raw:
        said = "it could not be read, so what it looks like is not known"
        yield Finding("route.unread", Verdict.UNKNOWN, route.target, said)
        return
    sent = compose(probe, tools.world.key, tools.world.version, route.form)
    for one in judge(route.expected, sent, raw):
        yield Finding(
            one.finding_id,
            Verdict.FAIL,
            route.target,
            one.message,
            one.severity,
            expected=one.expected,
            found=one.found,
            fix=_FIXES.get(one.finding_id, ""),
        )


def _slowness(delivery_s: float, error_s: float, route: Route) -> Iterator[Finding]:
    """Yield what is to be said of a delivery that certainly took longer than it may: what counts is the lower bound."""
    least_s = max(delivery_s - error_s, 0.0)
    for limit_s, severity in ((route.critical_s, Severity.CRITICAL), (route.warning_s, Severity.WARNING)):
        if limit_s is not None and least_s > limit_s:
            took = f"{delivery_s:.1f}s"
            if f"{least_s:.1f}" != f"{delivery_s:.1f}":
                took += f" (at least {least_s:.1f}s)"
            yield Finding(
                "route.slow" if severity is Severity.WARNING else "route.too_slow",
                Verdict.FAIL,
                route.target,
                f"Email delivered in {took}, more than {limit_s:g} s",
                severity,
                expected=f"<= {limit_s:g} s",
                found=f"{delivery_s:.1f} s",
                fix="Look at the Received fields of a message for the hop that took so long, and at its mail queue.",
            )
            return


_UNREAD = "Check that folder for mail that looks like bounces; a bounce of a probe may be among it."
_JUNK = "Look at the spam filter's verdict in the message, and at SPF, DKIM and DMARC with `mailmon dns`."
_AUTHENTICATION = "Look at the domain with `mailmon dns`, and whether every host that sends signs."
_FIXES = {
    "route.dkim": _AUTHENTICATION,
    "route.spf": _AUTHENTICATION,
    "route.dmarc": _AUTHENTICATION,
    "route.no_tls": "Look at the host's TLS with `mailmon diagnose`; Postfix: smtp_tls_security_level = may, or more.",
    "route.modified": "Look for a filter, a footer or a mailing list on the way: what it changes breaks signatures.",
}
