"""One certificate at many ports is announced once; two are told apart."""

from __future__ import annotations

from datetime import UTC, datetime

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.clients.tls import PeerCertificate
from mailmon.model import Finding, Outcome, Status, Verdict
from mailmon.run.certificates import with_certificates, without_certificates
from mailmon.run.network import Checked
from tests.run.outcomes import finding_at, outcome_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def login(step_id: str, target: str, days: float, name: str = "mail.example.org", *more: Finding) -> Outcome:
    """Return a login that was shown a certificate with so many days left."""
    shown = PeerCertificate(name, NOW.timestamp() + days * 86400)
    return outcome_of(step_id, *certificate_facts(shown, CertificateLimits(), target, NOW), *more)


def told(*steps: Outcome, remembered: tuple[str, ...] = ()) -> list[tuple[str, Status, str]]:
    return [(one.id, one.status, one.message) for one in with_certificates(Checked(steps), remembered).own]


def test_of_a_certificate_that_lasts_nobody_hears() -> None:
    assert told(login("imap_auth:a", "mail:993", 60)) == []


def test_one_certificate_at_many_ports_is_one_matter() -> None:
    steps = [login(f"imap_auth:{n}", f"mail:{n}", 10) for n in range(6)]
    assert told(*steps) == [
        (
            "certificate:mail.example.org",
            Status.WARNING,
            "mail.example.org: the certificate expires in 10 days; shown at mail:0, mail:1, mail:2, mail:3 and 2 more",
        )
    ]


def test_two_certificates_are_two_matters() -> None:
    steps = [login("imap_auth:a", "a:993", 10, "a.example.org"), login("smtp_auth:a", "b:587", 5, "b.example.org")]
    assert [name for name, _, _ in told(*steps)] == ["certificate:a.example.org", "certificate:b.example.org"]


def test_a_port_that_was_not_reloaded_is_the_one_that_is_told() -> None:
    steps = [login("imap_auth:a", "mail:993", 80), login("smtp_auth:a", "mail:587", 10)]
    [(_, status, words)] = told(*steps)
    assert (status, words.endswith("shown at mail:587")) == (Status.WARNING, True)


def test_another_certificate_of_the_same_name_has_days_of_its_own() -> None:
    steps = [login("imap_auth:a", "mail:993", 10), login("smtp_auth:a", "mail:587", 6), login("pop3:a", "mail:995", 6)]
    [(_, _, words)] = told(*steps)
    assert words == (
        "mail.example.org: the certificate expires in 6 days; shown at mail:587 and mail:995; "
        "mail:993: expires in 10 days"
    )


def test_its_end_is_told_where_it_is_remembered() -> None:
    name = "certificate:mail.example.org"
    assert told(login("imap_auth:a", "mail:993", 80), remembered=(name,)) == [(name, Status.OK, "80 days left")]


def test_in_its_last_days_it_is_a_failure_of_its_own_and_mail_goes_on() -> None:
    seen = with_certificates(Checked((login("imap_auth:a", "mail:993", 2.5),)), ())
    assert [(step.id, step.status) for step in seen.steps] == [
        ("imap_auth:a", Status.WARNING),
        ("certificate:mail.example.org", Status.FAILED),
    ]


def test_what_else_a_step_says_stays_with_it() -> None:
    steps = [
        login("imap_auth:a", "mail:993", 10),
        login("imap_auth:b", "mail:993", 10, "mail.example.org", finding_at("imap.select_failed")),
        outcome_of("send:x", Finding("x", Verdict.UNKNOWN, "t", "?")),
    ]
    kept = without_certificates(with_certificates(Checked(tuple(steps)), ()).steps)
    assert [(step.id, step.status, [one.id for one in step.findings]) for step in kept] == [
        ("imap_auth:a", Status.OK, []),
        ("imap_auth:b", Status.FAILED, ["imap.select_failed"]),
        ("send:x", Status.UNKNOWN, ["x"]),
    ]
