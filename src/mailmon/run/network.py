"""The network of this machine, examined when a server did not reply, to tell its problems from ours.

No reply means FAILED, unless there is positive evidence that the problem is ours:

* No server answers a connection. Any reply of a monitored server in this run shows that our network works: a refusal
  as well as a good step, and also one from our own network, because one alert too many is better than one too few.
  Only replies from loopback say nothing of servers outside. Without a reply, targets that do not depend on a monitored
  server are tried; when there are some and none answers, it is us.
* No name server answers. Replies of other servers prove nothing here: our dead resolver is no fault of the mail server.
  The resolvers are asked for a name that does not depend on a monitored server; any answer, NXDOMAIN or even a lie,
  means that they work (one on this machine may answer from its cache while the network is gone: FAILED). Those on a
  monitored server's address may be silent because that server is dead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, partial
from typing import NamedTuple

from mailmon.checks.check import has_no_reply, is_no_reply
from mailmon.clients.connectivity import (
    Monitored,
    Target,
    ask_all,
    is_independent,
    is_localhost,
    knock,
    monitored_by,
    normal,
    parse_target,
)
from mailmon.clients.deadline import Deadline
from mailmon.clients.resolver import (
    Addresses,
    RememberingResolve,
    Resolve,
    ask_nameserver,
    has_route_to,
    is_loopback,
    packed,
    system_nameservers,
)
from mailmon.config import Setup
from mailmon.errors import StageError
from mailmon.model import Finding, Outcome, Severity, Status, Verdict
from mailmon.run.execute import with_findings
from mailmon.run.subjects import NETWORK, network_outcome
from mailmon.store.state import State

CONNECT_TIMEOUT_S, ASK_TIMEOUT_S = 3.0, 4.0
# So much of the former for the address of a target: what is left is for its connection.
RESOLVE_TIMEOUT_S = 1.5
# With less than this, silence would be no evidence.
MIN_EXAMINE_S = CONNECT_TIMEOUT_S + ASK_TIMEOUT_S + 0.5
MAX_NAMES = 3
ADVICE = "Look at this machine's network first."

_RESOLVER = "dns.resolver_error"
_ROOT = {".": "the root zone"}
_SILENT = {1: "{0} does not answer either", 2: "neither {0} nor {1} answers"}


# What is left of a run's last seconds for state and alerts, after looking around.
RESERVE_S = 10.0


class Checked(NamedTuple):
    """The outcomes of the steps, and what mailmon found out about itself."""

    steps: tuple[Outcome, ...]
    own: tuple[Outcome, ...] = ()
    is_offline: bool = False


def check_network(
    outcomes: Sequence[Outcome], setup: Setup, state: State, resolve: RememberingResolve, deadline: Deadline
) -> Checked:
    """Return the outcomes with what our own network explains as UNKNOWN; examine it only in doubt."""
    verdict, steps = None, tuple(outcomes)
    if any(map(has_no_reply, outcomes)):
        verdict = _examine(outcomes, setup, state, resolve, deadline)
        steps = tuple(excuse(outcomes, verdict))
    has_seen_anything = any(outcome.status in (Status.OK, Status.WARNING, Status.FAILED) for outcome in steps)
    evidence = verdict.evidence if verdict and verdict.is_offline else "" if has_seen_anything else _no_route(steps)
    if not evidence and not (NETWORK in state.checks and has_seen_anything):
        return Checked(steps)
    return Checked(steps, (network_outcome(evidence, is_offline=bool(evidence)),), bool(evidence))


class Means(NamedTuple):
    """What may be looked at, and by what. No `nameservers`: those of the system."""

    targets: Sequence[Target]
    nameservers: Sequence[tuple[str, int]]
    deadline: Deadline
    resolve: Resolve
    knock: Callable[[Addresses, Deadline], bool | None] = knock
    ask: Callable[[str, tuple[str, int], Deadline], str] = ask_nameserver
    has_route_to: Callable[[str], bool] = has_route_to

    def within(self, seconds: float) -> Deadline:
        """Return the deadline of one attempt."""
        return Deadline(self.deadline.bound_s(seconds), self.deadline.monotonic)


class NetworkVerdict(NamedTuple):
    """Whether the trouble is ours, in words why, and the findings that this is about by their id and target."""

    is_offline: bool
    evidence: str
    about: frozenset[tuple[str, str]] = frozenset()


class _Echo:
    ANSWERED = 1
    SILENT = 2
    UNRESOLVED = 3
    SAYS_NOTHING = 4


def examine(outcomes: Sequence[Outcome], monitored: Monitored, means: Means) -> NetworkVerdict | None:
    """Return whether silence was our own trouble, None where there was none. Takes MIN_EXAMINE_S at most."""
    silent = [finding for outcome in outcomes for finding in outcome.findings if is_no_reply(finding)]
    if not silent:
        return None
    unnamed = [finding for finding in silent if finding.id == _RESOLVER]
    unanswered = [finding for finding in silent if finding.id != _RESOLVER]
    replies = sorted(_replies(outcomes, monitored))
    doubted = [finding for finding in unanswered if not _is_proven(finding, replies, monitored)]
    if means.deadline.remaining_s() < MIN_EXAMINE_S:
        return NetworkVerdict(False, "no time is left to look")
    see_names = cache(lambda: _see_names(means, monitored))
    seen = []
    if len(doubted) < len(unanswered):
        seen.append(NetworkVerdict(False, f"{replies[0]} answers"))
    if unnamed:
        seen.append(NetworkVerdict(*see_names(), _keys(unnamed)))
    if doubted:
        seen.append(NetworkVerdict(*_see_targets(means, monitored, see_names), _keys(doubted)))
    decisive = [verdict for verdict in seen if verdict.is_offline] or seen
    evidence = "; ".join(dict.fromkeys(verdict.evidence for verdict in decisive))
    return NetworkVerdict(decisive[0].is_offline, evidence, frozenset().union(*(verdict.about for verdict in decisive)))


def excuse(outcomes: Sequence[Outcome], verdict: NetworkVerdict | None) -> list[Outcome]:
    """Return the outcomes with what our own trouble explains turned into UNKNOWN. Pure."""
    if not verdict or not verdict.is_offline:
        return list(outcomes)
    return [_excused(outcome, verdict) if verdict.about & _keys(outcome.findings) else outcome for outcome in outcomes]


def _excused(outcome: Outcome, verdict: NetworkVerdict) -> Outcome:
    return with_findings(outcome, tuple(_excused_finding(finding, verdict) for finding in outcome.findings))


def _excused_finding(finding: Finding, verdict: NetworkVerdict) -> Finding:
    if not is_no_reply(finding) or (finding.id, finding.target) not in verdict.about:
        return finding
    said = f"{finding.message} ({verdict.evidence})"
    return finding._replace(status=Verdict.UNKNOWN, severity=None, message=said, fix=ADVICE)


def _keys(findings: Iterable[Finding]) -> frozenset[tuple[str, str]]:
    return frozenset((finding.id, finding.target) for finding in findings)


def _replies(outcomes: Iterable[Outcome], monitored: Monitored) -> set[str]:
    """Return the monitored hosts that sent anything. A notice may be of an earlier run, so it does not count."""
    replies = {monitored.steps.get(o.id, "") for o in outcomes if o.status in (Status.OK, Status.WARNING)}
    for finding in (finding for outcome in outcomes for finding in outcome.findings):
        is_problem = finding.status is Verdict.FAIL and finding.severity not in (Severity.NOTICE, Severity.INFO)
        if is_problem and not is_no_reply(finding) and not finding.id.startswith(("dns.", "mailmon.")):
            replies.add(_host_of(finding.target))
    return replies & monitored.hosts


def _is_proven(finding: Finding, replies: Iterable[str], monitored: Monitored) -> bool:
    is_here = _is_here(_host_of(finding.target), monitored)
    return any(is_here or not _is_here(host, monitored) for host in replies)


def _see_targets(means: Means, monitored: Monitored, see_names: Callable[[], tuple[bool, str]]) -> tuple[bool, str]:
    """Return whether we are offline because no independent target answers, and why."""
    targets = [target for target in means.targets if is_independent(target, (), monitored)]
    deadline = means.within(CONNECT_TIMEOUT_S)
    questions = [partial(_try, target, means, monitored, deadline) for target in targets]
    echoes = ask_all(questions, deadline, lambda echo: echo == _Echo.ANSWERED)
    if _Echo.ANSWERED in echoes:
        return False, f"{targets[echoes.index(_Echo.ANSWERED)]} answers"
    silent = [str(target) for target, echo in zip(targets, echoes, strict=True) if echo == _Echo.SILENT]
    if silent:
        return True, _SILENT.get(len(silent), "none of {0}, {1} and {2} answers").format(*silent)
    if _Echo.UNRESOLVED in echoes:
        return see_names()
    return False, "there is no independent target to compare with"


def _try(target: Target, means: Means, monitored: Monitored, deadline: Deadline) -> int:
    try:
        found = means.resolve(target.host, target.port, means.within(RESOLVE_TIMEOUT_S))
    except StageError as exc:
        return _Echo.UNRESOLVED if exc.finding_id == _RESOLVER else _Echo.SAYS_NOTHING
    if not is_independent(target, [address for _, (address, _) in found], monitored):
        return _Echo.SAYS_NOTHING
    has_answered = means.knock(found, deadline)
    return {True: _Echo.ANSWERED, False: _Echo.SILENT, None: _Echo.SAYS_NOTHING}[has_answered]


def _see_names(means: Means, monitored: Monitored) -> tuple[bool, str]:
    """Return whether we are offline because no name server answers for an independent name, and why."""
    servers = tuple(means.nameservers) or tuple(system_nameservers())
    if all(monitored.has(address) for address, _ in servers):
        if not any(means.has_route_to(address) for address, _ in servers):
            return True, "this machine has no way to its name servers"
        # They may not answer because that server is down: targets decide, as far as they can be reached without a name.
        return _see_targets(means, monitored, lambda: (False, "the name servers are on a monitored server"))
    names = [t.host for t in means.targets if not t.label and not packed(t.host) and is_independent(t, (), monitored)]
    names = list(dict.fromkeys(names))[:MAX_NAMES] or ["."]
    pairs = [(name, server) for server in servers for name in names]
    deadline = means.within(ASK_TIMEOUT_S)
    said = ask_all([partial(means.ask, *pair, deadline) for pair in pairs], deadline, lambda why: why == "")
    if "" in said:
        name, (address, _) = pairs[said.index("")]
        return False, f"the name server {address} answers for {_ROOT.get(name, name)}"
    whys = [f"{address} {why or 'silent'}" for (_, (address, _)), why in zip(pairs, said, strict=True)]
    asked_for = " or ".join(_ROOT.get(name, name) for name in names)
    return True, f"no name server answers for {asked_for} ({', '.join(dict.fromkeys(whys))})"


def _host_of(target: str) -> str:
    return normal(target.rpartition(":")[0])


def _is_here(host: str, monitored: Monitored) -> bool:
    """Return whether a monitored host is on loopback, as far as its addresses are known."""
    addresses = monitored.addresses.get(host, ())
    return is_localhost(host) or (bool(addresses) and all(map(is_loopback, addresses)))


def _examine(
    outcomes: Sequence[Outcome], setup: Setup, state: State, resolve: RememberingResolve, deadline: Deadline
) -> NetworkVerdict | None:
    targets = [parse_target(text) for text in setup.reachability]
    bound = Deadline(deadline.remaining_s() - RESERVE_S)
    means = Means([*targets, *_implicit_targets(setup)], setup.nameservers, bound, resolve)
    return examine(outcomes, monitored_by(setup.accounts.values(), state.addresses, resolve.known), means)


def _implicit_targets(setup: Setup) -> Iterator[Target]:
    """Yield the hosts of the channels and of the ping address: they too are reached over our network.

    Behind a proxy there are none: it may be the only way out, and a connection of our own would never come about.
    """
    from urllib.parse import urlsplit
    from urllib.request import getproxies_environment

    if getproxies_environment().keys() & {"http", "https", "all"}:
        return
    for channel in [*setup.channels.values(), *([setup.ping] if setup.ping else [])]:
        secret = channel.credentials.get("webhook") or channel.credentials.get("url")
        url = getattr(channel.options, "server", None) or secret
        try:
            parts = urlsplit(url or "")
            port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
        except ValueError:
            continue
        if parts.hostname and port:
            yield Target(parts.hostname, port, True, f"the host of {channel.name}" if url == secret else "")


def _no_route(outcomes: Sequence[Outcome]) -> str:
    """Return what a connection said that could not even begin, "" where none did."""
    return next(
        (
            finding.message
            for outcome in outcomes
            for finding in outcome.findings
            if finding.status is Verdict.UNKNOWN and finding.id.startswith(("tcp.", "dns."))
        ),
        "",
    )
