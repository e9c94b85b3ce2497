"""Golden texts of alerts."""

from __future__ import annotations

from datetime import timedelta

from mailmon.alerting import compose
from mailmon.alerting.outbox import merge
from mailmon.alerting.wording import MAX_CAUSES, MAX_NAMES, MAX_NOTES, MAX_TITLE
from mailmon.model import Alert, Change, Health, Policy
from tests.alerting.sequences import START, STATUS_BY_LETTER, STEP, TARGET, CheckSequence, outcome

HOUR = timedelta(hours=1)


def told(*runs: str, policy: Policy | None = None) -> list[Change]:
    """Return what is told in these runs: a status' letter, with the reply code behind it."""
    sequence = CheckSequence(policy)
    return [
        change for run in runs for change in sequence.step(outcome(STATUS_BY_LETTER[run[0]], code=run[1:] or "535"))
    ]


def alert(*changes: Change, now: timedelta = HOUR) -> Alert:
    composed = compose(changes, START + now, "run-9")
    assert composed is not None
    return composed


def text(*changes: Change, now: timedelta = HOUR) -> str:
    composed = alert(*changes, now=now)
    return f"{composed.kind}: {composed.title}\n{composed.body}\n"


def merged(*runs: str) -> Change:
    """Return what is told when nobody has heard of these runs."""
    (change,) = merge((), told(*runs))
    return change


FAILURE = told("o", "f")[0]
RECOVERY = told("o", "f", "o")[1]
IMAP = FAILURE._replace(
    id="imap_auth:main",
    label="IMAP Auth",
    target="mail.example.org:993",
    reason="mail.example.org:993: connect: connection refused",
    advice="Is the server running?",
    causes=("tls.handshake_failed",),
)


def test_one_failure() -> None:
    assert (
        text(FAILURE)
        == """\
problem: mail.example.org:587: SMTP Auth failing since 13:15 +0100: login: 535 5.7.8 no
SMTP Auth: mail.example.org:587: login: 535 5.7.8 no
→ Check the password.
Since 13:15 +0100.
"""
    )


def test_many_accounts_on_one_host_that_fail_alike() -> None:
    changes = [FAILURE._replace(id=f"smtp_auth:user{number}", subject=f"user{number}") for number in range(15)]
    assert (
        text(*changes)
        == """\
problem: mail.example.org:587: SMTP Auth for 15 accounts failing since 13:15 +0100: login: 535 5.7.8 no
SMTP Auth for 15 accounts (user0, user1, user2, user3, user4, user5, user6, user7, user8, user9, user10, user11 and \
3 more): mail.example.org:587: login: 535 5.7.8 no
→ Check the password.
Since 13:15 +0100.
"""
    )
    assert MAX_NAMES == 12


def test_one_account_of_several() -> None:
    assert (
        text(FAILURE._replace(subject="office"))
        == """\
problem: mail.example.org:587: SMTP Auth (office) failing since 13:15 +0100: login: 535 5.7.8 no
SMTP Auth (office): mail.example.org:587: login: 535 5.7.8 no
→ Check the password.
Since 13:15 +0100.
"""
    )


def test_two_services_of_one_host() -> None:
    assert (
        text(IMAP, FAILURE)
        == """\
problem: mail.example.org: IMAP Auth and SMTP Auth failing since 13:15 +0100: IMAP Auth: connect: connection refused
IMAP Auth: mail.example.org:993: connect: connection refused
→ Is the server running?
Since 13:15 +0100.

SMTP Auth: mail.example.org:587: login: 535 5.7.8 no
→ Check the password.
Since 13:15 +0100.
"""
    )


def test_several_hosts() -> None:
    other = FAILURE._replace(id="smtp_auth:b", target="mx.example.net:587", reason="mx.example.net:587: login: 454 no")
    composed = alert(FAILURE._replace(subject="a"), other._replace(subject="b"))
    assert composed.title.startswith(
        "mail.example.org:587: SMTP Auth (a) failing since 13:15 +0100 (and 1 more): login: 535"
    )
    assert "SMTP Auth (b): mx.example.net:587: login: 454 no" in composed.body


def test_a_warning() -> None:
    assert (
        text(told("o", "w")[0])
        == """\
warning: mail.example.org:587: SMTP Auth warning since 13:15 +0100: login: 535 5.7.8 no
SMTP Auth: mail.example.org:587: login: 535 5.7.8 no
→ Check the password.
Since 13:15 +0100.
"""
    )


def test_a_failure_that_became_a_warning_says_how_long_it_was_down() -> None:
    (_, change) = told("o", "f", "w")
    assert text(change).endswith("Since 13:30 +0100. It was down for 15 min.\n")


def test_a_recovery_with_what_was_late() -> None:
    notes = ("the probe of 13:15 (+0100) arrived late, after 7 min 32 s", "the probe of 13:20 (+0100) is lost")
    assert (
        text(RECOVERY._replace(notes=notes))
        == """\
recovery: mail.example.org:587: SMTP Auth recovered after 15 min
SMTP Auth recovered at 13:30 +0100, after 15 min.
Cause: mail.example.org:587: login: 535 5.7.8 no
The probe of 13:15 (+0100) arrived late, after 7 min 32 s.
The probe of 13:20 (+0100) is lost.
"""
    )


def test_many_notes_are_capped_and_counted() -> None:
    notes = tuple(f"the probe of {number} is lost" for number in range(MAX_NOTES + 3))
    assert alert(RECOVERY._replace(notes=notes)).body.endswith("The probe of 11 is lost.\nand 3 more")


def test_a_failure_and_a_recovery_that_nobody_heard_of() -> None:
    assert (
        text(merged("o", "f", "o"))
        == """\
recovery: mail.example.org:587: SMTP Auth failed and recovered after 15 min (13:15-13:30 +0100)
SMTP Auth failed at 13:15 +0100, recovered at 13:30 +0100.
Cause: mail.example.org:587: login: 535 5.7.8 no
"""
    )


def test_flapping_that_nobody_heard_of() -> None:
    earlier = "Before: failed at 13:15 +0100, recovered at 13:30 +0100."
    assert (
        text(merged("o", "f", "o", "f"))
        == f"""\
problem: mail.example.org:587: SMTP Auth failing since 13:45 +0100: login: 535 5.7.8 no
SMTP Auth: mail.example.org:587: login: 535 5.7.8 no
→ Check the password.
Since 13:45 +0100. {earlier}
"""
    )
    body = alert(merged("o", *["f", "o"] * 20)).body
    assert body.startswith("SMTP Auth failed at 13:15 +0100, changed 27 more times, failed at 20:15 +0100, recovered")


def test_a_reminder() -> None:
    (_, reminder) = told("f", "f", "f", "f", "f", policy=Policy(reminder_interval_s=3600))
    assert text(reminder).splitlines()[-1] == "Failing for 1 h (since 13:00 +0100)."
    assert alert(reminder).title.startswith("mail.example.org:587: SMTP Auth still ")


def test_another_cause() -> None:
    (_, cause) = told("f535", "f454")
    composed = alert(cause)
    assert composed.title.endswith(" since 13:00 +0100: now login: 454 5.7.8 no")
    assert (
        composed.body
        == """\
SMTP Auth: the cause has changed: mail.example.org:587: login: 454 5.7.8 no
→ Check the password.
Failing for 1 h (since 13:00 +0100)."""
    )
    assert composed.thread == "run-1"


def test_mailmon_cannot_tell() -> None:
    (unknown,) = told("o", "u", "u", "u")
    assert alert(unknown).kind == "warning"
    assert "SMTP Auth cannot be checked since 13:15 +0100: no route to any host" in alert(unknown).title
    assert alert(unknown).body == "SMTP Auth: no route to any host\nSince 13:15 +0100."


def test_more_causes_than_anybody_reads() -> None:
    changes = [
        FAILURE._replace(target=f"mail{n}.example.org:587", reason=f"it said {n}") for n in range(MAX_CAUSES + 5)
    ]
    composed = alert(*changes)
    assert composed.body.count("it said") == MAX_CAUSES
    assert composed.body.endswith("\n\nand 5 more")
    assert composed.title.startswith(
        "mail0.example.org:587: SMTP Auth failing since 13:15 +0100 (and 16 more): it said 0"
    )


def test_failures_stand_before_warnings_and_both_before_recoveries() -> None:
    recovery = RECOVERY._replace(id="receive:main", label="Receive Test")
    warning = told("o", "w")[0]._replace(id="send:main", label="Send Test")
    composed = alert(recovery, warning, FAILURE)
    paragraphs = composed.body.split("\n\n")
    assert [words.partition(":")[0].partition(" recovered")[0] for words in paragraphs] == [
        "SMTP Auth",
        "Send Test",
        "Receive Test",
    ]
    assert composed.kind == "problem"
    assert composed.title.startswith(
        "mail.example.org:587: SMTP Auth failing since 13:15 +0100 (Send Test warning, Receive Test recovered): login: "
    )


def test_another_day_is_told_with_its_date() -> None:
    assert alert(FAILURE, now=24 * HOUR).title.startswith(
        "mail.example.org:587: SMTP Auth failing since 2026-03-01 13:15 +0100: "
    )


def test_a_long_title_is_cut() -> None:
    title = alert(FAILURE._replace(reason="no " * 100)).title
    assert (len(title), title[-1]) == (MAX_TITLE, "…")


def test_an_alert_answers_the_one_that_began_its_story() -> None:
    assert (alert(FAILURE._replace(alert="run-9")).thread, alert(RECOVERY).thread) == ("", RECOVERY.alert)
    assert compose([], START, "run-9") is None
    assert (FAILURE.id, FAILURE.target, FAILURE.after) == (STEP, TARGET, Health.DOWN)
