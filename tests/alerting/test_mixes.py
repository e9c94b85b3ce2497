"""Order within an alert: all mixes of new, ongoing and ended failures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from mailmon.alerting import compose, open_problems
from mailmon.model import EVERYBODY, AlertSubject, Announced, Change, CheckState, Health, News, Policy, Severity
from tests.alerting.sequences import START
from tests.alerting.test_wording import told

HOST = "mail.example.org"
REMIND = Policy(reminder_interval_s=900)
NOW = START + timedelta(hours=2)


def named(change: Change, label: str, host: str = HOST, subject: str = "") -> Change:
    step_id = f"{label.lower().replace(' ', '_')}:{subject or 'main'}"
    target = f"{host}:587"
    reason = change.reason.replace("mail.example.org:587", target)
    return change._replace(id=step_id, label=label, target=target, subject=subject, reason=reason)


NEW = told("o", "f")[0]
CAUSE = told("f535", "f454")[1]
REMINDER = told("f", "f", policy=REMIND)[1]
WARNING = told("o", "w")[0]
WARNING_REMINDER = told("w", "w", policy=REMIND)[1]
UNKNOWN = told("o", "u", "u", "u")[0]
PARTLY = told("f", "w")[1]
RECOVERED = told("f", "o")[1]
SEEN_AGAIN = told("f", "u", "u", "u", "f")[-1]
NEW_READERS = REMINDER._replace(news=News.CHANGE)


def title(*changes: Change) -> str:
    alert = compose(changes, NOW, "run-9")
    assert alert
    return alert.title


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ([REMINDER, NEW], "Second failing since 13:15 +0100 (First still failing): "),
        ([CAUSE, NEW], "Second failing since 13:15 +0100 (First still failing): "),
        ([RECOVERED, NEW], "Second failing since 13:15 +0100 (First recovered): "),
        ([WARNING, NEW], "Second failing since 13:15 +0100 (First warning): "),
        ([PARTLY, NEW], "Second failing since 13:15 +0100 (First recovered with a warning): "),
        ([UNKNOWN, NEW], "Second failing since 13:15 +0100 (First cannot be checked): "),
        ([SEEN_AGAIN, NEW], "Second failing since 13:15 +0100 (First failing): "),
        ([NEW_READERS, NEW], "Second failing since 13:15 +0100 (First failing): "),
        ([REMINDER, CAUSE], "Second still failing since 13:00 +0100 (First still failing): now login: 454"),
        ([RECOVERED, REMINDER], "Second still failing since 13:00 +0100 (First recovered): "),
        ([RECOVERED, CAUSE], "Second still failing since 13:00 +0100 (First recovered): now login: 454"),
        ([RECOVERED, WARNING], "Second warning since 13:15 +0100 (First recovered): "),
        ([REMINDER, WARNING], "Second warning since 13:15 +0100 (First still failing): "),
        ([RECOVERED, UNKNOWN], "Second cannot be checked since 13:15 +0100 (First recovered): "),
        ([WARNING_REMINDER, REMINDER], "Second still failing since 13:00 +0100 (First still warning): "),
        ([WARNING_REMINDER, WARNING], "Second warning since 13:15 +0100 (First still warning): "),
        ([RECOVERED, PARTLY], "Second recovered with a warning at 13:15 +0100 (First recovered): "),
        ([REMINDER, REMINDER, RECOVERED, RECOVERED, NEW], "Fifth failing since 13:15 +0100 (2 still failing, 2 recove"),
    ],
)
def test_new_before_old_and_failures_before_recoveries(changes: list[Change], words: str) -> None:
    labels = ("First", "Second", "Third", "Fourth", "Fifth")
    mixed = [named(change, label, f"{label}.example.org") for change, label in zip(changes, labels, strict=False)]
    said = title(*mixed)
    assert said.partition(": ")[2].startswith(words), said
    alert = compose(mixed, NOW, "run-9")
    assert alert
    assert alert.body.startswith(words.partition(" ")[0]), alert.body


def test_a_reminder_does_not_hide_a_new_failure() -> None:
    """What a user saw: "still fails since 00:50 (and 1 more)", where the one more was new."""
    said = title(named(REMINDER, "Receive Test"), named(NEW, "SMTP Auth"))
    assert said.startswith("mail.example.org:587: SMTP Auth failing since 13:15 +0100 (Receive Test still failing): ")


def down(label: str, health: Health = Health.DOWN, **changes: Any) -> tuple[CheckState, AlertSubject]:
    told_before = Announced(Health.DOWN, START, START, channels=("phone",))
    state = CheckState(health, START, f"{HOST}:587: DATA: 451 no", f"{HOST}:587", severity=Severity.ERROR)
    state = state._replace(announced=told_before if health is Health.DOWN else Announced())._replace(**changes)
    return state, AlertSubject(label, "", "route", ("all", label))


def good_news(
    left: dict[str, tuple[CheckState, AlertSubject]], *changes: Change, silenced: tuple[str, ...] = ()
) -> tuple[str, str]:
    states = {step_id: state for step_id, (state, _) in left.items()}
    subjects = {step_id: subject for step_id, (_, subject) in left.items()}
    alert = compose(changes or (RECOVERED,), NOW, "run-9", open_problems(states, subjects, "phone", silenced))
    assert alert
    return alert.title, alert.body


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (down("Send Test"), "mail.example.org: Send Test still failing, SMTP Auth recovered after 15 min"),
        (down("Send Test", Health.FAILING), "mail.example.org: Send Test failing, SMTP Auth recovered after 15 min"),
        (
            down("Send Test", target="mx.example.net:25"),
            "mx.example.net: Send Test still failing, mail.example.org:587: SMTP Auth recovered after 15 min",
        ),
        (
            down("Send Test", unknown_runs=3, announced=Announced(Health.UP, unknown_since=START, channels=("phone",))),
            "mail.example.org: Send Test cannot be checked, SMTP Auth recovered after 15 min",
        ),
        (down("Send Test", Health.UP), "mail.example.org:587: SMTP Auth recovered after 15 min"),
        (down("Send Test", Health.DEGRADED), "mail.example.org:587: SMTP Auth recovered after 15 min"),
    ],
)
def test_a_recovery_does_not_hide_what_is_still_broken(state: tuple[CheckState, AlertSubject], words: str) -> None:
    """What a user saw: "SMTP Auth works again" while the Send Test still failed."""
    said, body = good_news({"send:main": state})
    assert said == words
    assert body.startswith("Send Test: ") == (", SMTP Auth" in said or "example.net" in said)


def test_a_partial_recovery_does_not_hide_it_either() -> None:
    said, _ = good_news({"send:main": down("Send Test")}, PARTLY)
    assert said.startswith("mail.example.org: Send Test still failing, SMTP Auth recovered with a warning at 13:15")


def test_many_that_are_still_broken_are_counted() -> None:
    left = {f"send:{n}": down(f"Send {n}") for n in range(4)}
    said, body = good_news(left)
    assert said == "mail.example.org: Send 0, Send 1 and 2 more still failing, SMTP Auth recovered after 15 min"
    assert body.count(": still failing since 13:00 +0100: DATA: 451 no\n") == 4


def test_what_is_silent_or_told_elsewhere_is_counted_without_a_name() -> None:
    other = Announced(Health.DOWN, START, START, channels=("team",))
    state, subject = down("Send Test", announced=other)
    elsewhere = state, subject._replace(policy=Policy(channels={"error": ("team",)}))
    said, body = good_news({"send:main": down("Secret"), "send:b": elsewhere}, silenced=("Secret",))
    assert said == "mail.example.org:587: SMTP Auth recovered after 15 min (2 other problems)"
    assert "Send Test" not in said + body
    assert "Secret" not in said + body


def test_who_heard_of_it_by_everybody_s_channel_hears_that_it_goes_on() -> None:
    state, subject = down("Send Test", announced=Announced(Health.DOWN, START, START, channels=(EVERYBODY,)))
    said, _ = good_news({"send:main": (state, subject._replace(policy=Policy(channels={"error": ("team",)})))})
    assert "Send Test still failing" in said


def test_a_long_host_name_does_not_cut_off_what_is_still_broken() -> None:
    host = f"{'mail' * 12}.{'example' * 8}.org"
    said, _ = good_news({"send:main": down("Send Test", target=f"{host}:587")}, named(RECOVERED, "SMTP Auth", host))
    assert "SMTP Auth" in said
    said, _ = good_news({"send:main": down("Send Test")}, named(RECOVERED, "SMTP Auth", host))
    assert said.startswith("mail.example.org: Send Test still failing, ")
    said, _ = good_news(
        {"send:main": down("S", announced=Announced(channels=("team",)))},
        named(RECOVERED, "SMTP Auth", host),
        silenced=("S",),
    )
    assert said.endswith("… (1 other problem)")


def full(subject: str, percent: int, change: Change = WARNING) -> Change:
    reason = f"{HOST}:993: the mailbox is full to {percent} %"
    return named(change, "IMAP Auth", subject=subject)._replace(target=f"{HOST}:993", reason=reason)


def test_accounts_with_figures_of_their_own_are_told_with_each_one_s_own() -> None:
    """What a user saw: "full to 500 %" for two accounts, of which one was full to 200 %."""
    alert = compose([full("a", 500), full("b", 200)], NOW, "run-9")
    assert alert
    assert alert.title == (
        "mail.example.org:993: IMAP Auth for 2 accounts warning since 13:15 +0100: a: the mailbox is full to 500 %"
    )
    assert alert.body.splitlines()[:3] == [
        "IMAP Auth for 2 accounts:",
        f"a: {HOST}:993: the mailbox is full to 500 %",
        f"b: {HOST}:993: the mailbox is full to 200 %",
    ]


def test_a_changed_cause_and_an_end_carry_each_one_s_own_figure_too() -> None:
    changed = WARNING._replace(news=News.CAUSE)
    alert = compose([full("a", 500, changed), full("b", 200, changed)], NOW, "run-9")
    assert alert
    assert "IMAP Auth for 2 accounts: the cause has changed:\na: " in alert.body
    assert ": now a: the mailbox is full to 500 %" in alert.title
    ended = compose([full("a", 500, RECOVERED), full("b", 200, RECOVERED)], NOW, "run-9")
    assert ended
    assert (
        f"Cause:\na: {HOST}:993: the mailbox is full to 500 %\nb: {HOST}:993: the mailbox is full to 200 %"
        in ended.body
    )


def test_advice_that_differs_is_given_to_each() -> None:
    first = full("a", 500)._replace(advice="Delete mail of a.")
    alert = compose([first, full("b", 200)._replace(advice="Delete mail of b.")], NOW, "run-9")
    assert alert
    assert "→ Delete mail of a.\n→ Delete mail of b." in alert.body


def test_the_figures_of_many_accounts_are_capped() -> None:
    alert = compose([full(f"user{n}", 100 + n) for n in range(20)], NOW, "run-9")
    assert alert
    assert alert.body.count("is full to") == 12
    assert "\nand 8 more\n" in alert.body
