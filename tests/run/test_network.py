"""The verdict on our own network: no alert about a mail server because our own network is down."""

from __future__ import annotations

from typing import Any

import pytest

from mailmon.checks.check import has_no_reply
from mailmon.clients.connectivity import Target, parse_target
from mailmon.clients.deadline import Deadline
from mailmon.model import Outcome, Severity, Status, Verdict
from mailmon.run.network import MIN_EXAMINE_S, Means, examine, excuse
from tests.run.outcomes import (
    ALIAS,
    DEAD,
    DNS9,
    HERE,
    LIVE,
    MONITORED,
    NTFY,
    ON_MAIL,
    OTHER,
    OWN,
    UNRESOLVED,
    examined,
    failed_outcome,
    fake_means,
    finding_at,
    no_reply_outcome,
    ok_outcome,
    outcome_of,
    unresolved_outcome,
)


@pytest.mark.parametrize(
    "outcomes",
    [
        [],
        [ok_outcome("imap_auth:main"), ok_outcome("smtp_auth:main")],
        [failed_outcome("smtp.login_refused")],
        [failed_outcome("tcp.unreachable")],  # refused: only silence says so
        [failed_outcome("dns.host_not_found")],
        [failed_outcome("mailmon.deadline")],
        [outcome_of("imap_auth:main", finding_at("tcp.unreachable")._replace(status=Verdict.UNKNOWN, severity=None))],
    ],
)
def test_where_something_came_back_nothing_is_looked_at(outcomes: list[Outcome]) -> None:
    def never(*_: object) -> Any:
        raise AssertionError("touched")

    assert examine(outcomes, MONITORED, Means([NTFY], [DEAD], Deadline(60), never, never, never)) is None
    assert not any(map(has_no_reply, outcomes))


@pytest.mark.parametrize(
    ("targets", "answering", "expected"),
    [
        # Without an independent target a time-out is FAILED.
        ([], {}, (False, "there is no independent target to compare with")),
        ([OWN], {}, (False, "there is no independent target to compare with")),
        ([ALIAS], {}, (False, "there is no independent target to compare with")),
        ([parse_target("192.0.2.10:53")], {}, (False, "there is no independent target to compare with")),
        ([Target("127.0.0.2", 80, is_implicit=True)], {}, (False, "there is no independent target to compare with")),
        ([parse_target("gone.example.net:1")], {}, (False, "there is no independent target to compare with")),
        ([DNS9], {"203.0.113.9": None}, (False, "there is no independent target to compare with")),
        ([NTFY], {}, (True, "ntfy.sh:443 does not answer either")),
        ([Target("127.0.0.2", 80)], {}, (True, "127.0.0.2:80 does not answer either")),
        ([NTFY, DNS9], {}, (True, "neither ntfy.sh:443 nor 203.0.113.9:53 answers")),
        ([NTFY, DNS9, OWN, ALIAS], {}, (True, "neither ntfy.sh:443 nor 203.0.113.9:53 answers")),
        ([NTFY, DNS9], {"203.0.113.9": None}, (True, "ntfy.sh:443 does not answer either")),
        ([DNS9] * 5, {}, (True, "none of 203.0.113.9:53, 203.0.113.9:53 and 203.0.113.9:53 answers")),
        ([NTFY, DNS9], {"203.0.113.9": True}, (False, "203.0.113.9:53 answers")),
        ([NTFY], {"203.0.113.80": True}, (False, "ntfy.sh:443 answers")),
        # A target without an address is no silent one; it only makes us ask the name servers.
        ([parse_target("unresolved.example.net:1"), NTFY], {}, (True, "ntfy.sh:443 does not answer either")),
    ],
)
def test_silence_is_ours_only_when_every_independent_target_is_silent_too(
    targets: list[Target], answering: dict[str, bool | None], expected: tuple[bool, str]
) -> None:
    assert examined([no_reply_outcome()], targets=targets, answering=answering) == expected


@pytest.mark.parametrize(
    ("nameservers", "expected"),
    [
        ([DEAD], (True, "no name server answers for unresolved.example.net (198.51.100.53 silent)")),
        ([ON_MAIL], (False, "the name servers are on a monitored server")),
        ([DEAD, LIVE], (False, "the name server 198.51.100.54 answers for unresolved.example.net")),
    ],
)
def test_unresolvable_targets_are_evidence_only_if_the_name_servers_are_dead(
    nameservers: list[tuple[str, int]], expected: tuple[bool, str]
) -> None:
    targets = [parse_target("unresolved.example.net:1")]
    assert examined([no_reply_outcome()], targets=targets, nameservers=nameservers) == expected


@pytest.mark.parametrize(
    ("others", "is_offline"),
    [
        ([ok_outcome("smtp_auth:main")], False),
        ([ok_outcome("imap_auth:other")], False),
        ([outcome_of("imap_auth:other", finding_at("x.slow", OTHER, severity=Severity.WARNING))], False),
        ([failed_outcome("tcp.unreachable", OTHER)], False),
        ([failed_outcome("smtp.login_refused", OTHER)], False),
        ([failed_outcome("imap.connection_lost", OTHER)], False),
        ([failed_outcome("tls.cert_expired")], False),
        ([ok_outcome("imap_auth:here")], True),
        ([failed_outcome("tcp.unreachable", HERE)], True),
        ([failed_outcome("dns.host_not_found", OTHER)], True),
        ([failed_outcome("mailmon.deadline", OTHER)], True),
        ([outcome_of("cleanup:main", finding_at("route.lost", OTHER, severity=Severity.INFO))], True),
        ([failed_outcome("mta_sts.unreachable", "mta-sts.example.com")], True),  # not one of the servers
        ([ok_outcome("mx:main")], True),  # a good step that needed no server
        ([no_reply_outcome(OTHER, "imap_auth:other")], True),
        ([Outcome("send:main", "send", "main", Status.SKIPPED, "skipped")], True),
    ],
)
def test_any_reply_of_a_server_outside_shows_that_the_network_works(others: list[Outcome], is_offline: bool) -> None:
    assert examined([no_reply_outcome(), *others], targets=[NTFY])[0] is is_offline


@pytest.mark.parametrize("other", [ok_outcome("imap_auth:main"), failed_outcome("tcp.unreachable", HERE)])
def test_a_server_on_loopback_that_is_silent_is_judged_by_any_reply(other: Outcome) -> None:
    assert examined([no_reply_outcome(HERE, "imap_auth:here"), other], targets=[NTFY])[0] is False


def test_a_reply_from_loopback_excuses_the_one_outside_and_not_the_one_beside_it() -> None:
    outcomes = [
        no_reply_outcome(),
        no_reply_outcome(HERE, "imap_auth:here"),
        failed_outcome("smtp.login_refused", HERE),
    ]
    after = excuse(outcomes, examine(outcomes, MONITORED, fake_means([NTFY])))
    assert [o.status for o in after] == [Status.UNKNOWN, Status.FAILED, Status.FAILED]


NO_NAMES = "no name server answers for ntfy.sh (198.51.100.53 silent)"


@pytest.mark.parametrize(
    ("nameservers", "targets", "said", "expected"),
    [
        ([DEAD], [NTFY], {}, (True, NO_NAMES)),
        ([DEAD], [NTFY, DNS9, OWN], {}, (True, NO_NAMES)),
        ([DEAD], [], {}, (True, "no name server answers for the root zone (198.51.100.53 silent)")),
        ([DEAD], [OWN, DNS9], {}, (True, "no name server answers for the root zone (198.51.100.53 silent)")),
        ([DEAD], [], {".": "SERVFAIL"}, (True, "no name server answers for the root zone (198.51.100.53 SERVFAIL)")),
        (
            [DEAD, ON_MAIL],
            [NTFY],
            {},
            (True, "no name server answers for ntfy.sh (198.51.100.53 silent, 192.0.2.10 silent)"),
        ),
        ([("127.0.0.53", 53)], [NTFY], {}, (True, "no name server answers for ntfy.sh (127.0.0.53 silent)")),
        # The mail host that also runs DNS is dead.
        ([ON_MAIL], [], {}, (False, "there is no independent target to compare with")),
        ([ON_MAIL], [UNRESOLVED], {}, (False, "the name servers are on a monitored server")),
        ([("127.0.0.1", 53)], [UNRESOLVED], {}, (False, "the name servers are on a monitored server")),
        # An address that needs no name tells whether it is only that host.
        ([ON_MAIL], [UNRESOLVED, DNS9], {}, (True, "203.0.113.9:53 does not answer either")),
        ([LIVE], [NTFY], {}, (False, "the name server 198.51.100.54 answers for ntfy.sh")),
        ([DEAD, LIVE], [NTFY], {}, (False, "the name server 198.51.100.54 answers for ntfy.sh")),
        ([LIVE], [OWN], {}, (False, "the name server 198.51.100.54 answers for the root zone")),
    ],
)
def test_an_unresolved_name_is_our_fault_only_if_no_resolver_answers_at_all(
    nameservers: list[tuple[str, int]], targets: list[Target], said: dict[str, str], expected: tuple[bool, str]
) -> None:
    assert examined([unresolved_outcome()], nameservers=nameservers, targets=targets, said=said) == expected


def test_with_the_resolver_on_the_mail_server_a_replying_address_clears_us() -> None:
    said = examined(
        [unresolved_outcome()], nameservers=[ON_MAIL], targets=[UNRESOLVED, DNS9], answering={"203.0.113.9": True}
    )
    assert said == (False, "203.0.113.9:53 answers")


def test_with_the_resolver_on_the_mail_server_a_missing_network_is_our_fault() -> None:
    assert examined([unresolved_outcome()], nameservers=[ON_MAIL], has_route=False) == (
        True,
        "this machine has no way to its name servers",
    )


def test_our_dead_resolver_stays_our_fault_though_another_server_replies() -> None:
    assert examined([unresolved_outcome(), ok_outcome("imap_auth:other")], targets=[NTFY]) == (True, NO_NAMES)


def test_a_dead_resolver_excuses_no_silence_where_an_independent_target_answers() -> None:
    outcomes = [unresolved_outcome(OTHER, "imap_auth:other"), no_reply_outcome()]
    sight = examine(outcomes, MONITORED, fake_means([NTFY, DNS9], answering={"203.0.113.9": True}))
    assert sight is not None
    assert sight.is_offline
    after = excuse(outcomes, sight)
    assert [o.status for o in after] == [Status.UNKNOWN, Status.FAILED]
    assert after[1] is outcomes[1]


def test_silence_and_a_dead_resolver_are_told_together() -> None:
    outcomes = [unresolved_outcome(OTHER, "imap_auth:other"), no_reply_outcome()]
    is_offline, evidence = examined(outcomes, targets=[NTFY])
    assert is_offline
    assert evidence == f"{NO_NAMES}; ntfy.sh:443 does not answer either"


def test_without_the_time_to_look_silence_is_no_evidence() -> None:
    assert examined([no_reply_outcome()], targets=[NTFY], seconds=MIN_EXAMINE_S - 0.5) == (
        False,
        "no time is left to look",
    )
