"""Days left of a certificate: wording and alerts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from mailmon.checks.certificate import CertificateLimits, certificate_facts
from mailmon.clients.tls import PeerCertificate
from mailmon.model import Certificate, Fact, Finding, Metric, Severity, Status, Verdict
from mailmon.sandbox import Sandbox
from tests.alerting.sequences import START, STEP, TARGET, CheckSequence, described
from tests.run.environment import Environment
from tests.run.fake_channels import FakeChannels
from tests.run.outcomes import finding_at, outcome_of

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
# How long the sandbox's good certificate lasts.
GOOD_DAYS = 90


def shown(days: float | None, warning_days: float, critical_days: float = 0.0, target: str = TARGET) -> Iterator[Fact]:
    """Yield what is said of a certificate that ends in so many days, None: no chain was verified."""
    certificate = None if days is None else PeerCertificate("mail.example.org", NOW.timestamp() + days * 86400)
    return certificate_facts(certificate, CertificateLimits(warning_days, critical_days), target, NOW)


def facts(days: float | None, warning_days: float) -> tuple[list[Metric], list[Finding]]:
    """Return what is said of a certificate: its metrics and its findings."""
    said = list(shown(days, warning_days))
    return [f for f in said if isinstance(f, Metric)], [f for f in said if isinstance(f, Finding)]


@pytest.mark.parametrize(
    ("days", "warning_days"), [(90, 21), (21.01, 21), (21, 21), (7, 7), (5, 5), (1, 0.5), (0.01, 0), (0, 0)]
)
def test_a_certificate_that_lasts_is_a_figure_and_no_warning(days: float, warning_days: float) -> None:
    metrics, findings = facts(days, warning_days)
    assert ([(m.name, m.value) for m in metrics], findings) == ([("certificate_days", days)], [])


def test_of_a_certificate_that_no_chain_vouches_for_nothing_is_said() -> None:
    """A pin stays good for ever, and with `insecure` everything is."""
    assert facts(None, 21) == ([], [])


@pytest.mark.parametrize(
    ("days", "warning_days", "left", "wanted"),
    [
        (20.0, 21, "20 days", ">= 21 days"),
        (10.04, 21, "10 days", ">= 21 days"),
        (7.0, 21, "7 days", ">= 21 days"),
        (6.04, 21, "6 days", ">= 7 days"),
        (2.0, 21, "2 days", ">= 7 days"),
        (1.5, 21, "36 hours", ">= 7 days"),
        (0.25, 21, "6 hours", ">= 7 days"),
        (364.0, 365, "364 days", ">= 365 days"),
        # Who wants to hear of it late hears of it once.
        (6.04, 7, "6 days", ">= 7 days"),
        (3.0, 5, "3 days", ">= 5 days"),
        (0.25, 0.5, "6 hours", ">= 0.5 days"),
    ],
)
def test_a_certificate_that_expires_soon_is_a_warning_with_what_is_left(
    days: float, warning_days: float, left: str, wanted: str
) -> None:
    [metric], [found] = facts(days, warning_days)
    assert metric.value == days
    assert (found.id, found.status, found.severity) == ("tls.cert_expiring", Verdict.FAIL, Severity.WARNING)
    assert (found.target, found.message) == (TARGET, f"{TARGET}: the certificate expires in {left}")
    assert (found.found, found.expected) == (left, wanted)
    assert found.fix


@pytest.mark.parametrize(
    ("lifetime", "days", "expected", "is_failed"),
    [
        # Let's Encrypt's of six days: renewed every three, and never well by a limit of 21 days.
        (6.67, 6.6, None, False),
        (6.67, 3.3, None, False),
        (6.67, 1.7, None, False),
        (6.67, 1.6, "at least 1.67 days of 6.67", False),
        (6.67, 0.5, "at least 0.56 days of 6.67", True),
        (45, 44, None, False),
        (45, 22, None, False),
        (45, 11.3, None, False),
        (45, 11.2, "at least 11.25 days of 45", False),
        (45, 3.7, "at least 3.75 days of 45", False),
        (45, 2.9, "at least 3.75 days of 45", True),
        (90, 21.1, None, False),
        (90, 20.9, ">= 21 days", False),
        (90, 6.9, ">= 7 days", False),
        (90, 2.9, ">= 7 days", True),
        (398, 20.9, ">= 21 days", False),
        (398, 2.9, ">= 7 days", True),
    ],
)
def test_limits_follow_from_how_long_the_certificate_is_valid_in_all(
    lifetime: float, days: float, expected: str | None, is_failed: bool
) -> None:
    until_s = NOW.timestamp() + days * 86400
    certificate = PeerCertificate("mail.example.org", until_s, until_s - lifetime * 86400)
    said = list(certificate_facts(certificate, CertificateLimits(), TARGET, NOW))
    found = [one for one in said if isinstance(one, Finding)]
    assert [one.expected for one in found] == ([expected] if expected else [])
    assert [one.is_critical for one in said if isinstance(one, Certificate)] == [is_failed]


def test_days_that_the_configuration_sets_hold_for_short_lifetimes_too() -> None:
    until_s = NOW.timestamp() + 2.5 * 86400
    certificate = PeerCertificate("mail.example.org", until_s, until_s - 6.67 * 86400)

    def expected(limits: CertificateLimits) -> list[str]:
        said = certificate_facts(certificate, limits, TARGET, NOW)
        return [one.expected for one in said if isinstance(one, Finding)]

    assert expected(CertificateLimits(21)) == [">= 21 days"]
    assert expected(CertificateLimits(2)) == expected(CertificateLimits()) == []
    assert expected(CertificateLimits(None, 3)) == [">= 3 days"]


@pytest.mark.parametrize(("days", "wrong"), [(20.6, "21 days"), (6.7, "7 days")])
def test_what_is_left_is_never_said_to_be_more_than_it_is(days: float, wrong: str) -> None:
    _, [found] = facts(days, 21)
    assert found.found != wrong


def tell(sequence: CheckSequence, days: float) -> list[str]:
    """Judge a run that saw a certificate with so many days left; return what people are told."""
    return [described(change) for change in sequence.step(outcome_of(STEP, *shown(days, 21)))]


@pytest.mark.parametrize(
    ("days", "told"),
    [
        ([30, 20.9, 14, 7.1, 6.9, 3, 0.2, 89], [[], ["up>degraded"], [], [], ["cause"], [], [], ["degraded>up"]]),
        ([6, 5, 4], [["new>degraded"], [], []]),
        # A clock that is corrected, or another server behind the same name: each cause is told once.
        ([20, 6, 10, 6], [["new>degraded"], ["cause"], [], []]),
        # What was renewed for a short time only is a new sequence.
        ([20, 6, 22, 20, 6], [["new>degraded"], ["cause"], ["degraded>up"], ["up>degraded"], ["cause"]]),
    ],
)
def test_people_are_told_of_an_end_that_comes_near_and_once_more_in_its_last_week(
    days: list[float], told: list[list[str]]
) -> None:
    sequence = CheckSequence()
    assert [tell(sequence, left) for left in days] == told


def test_an_end_that_nobody_has_prevented_is_a_failure() -> None:
    sequence = CheckSequence()
    assert [tell(sequence, 20), tell(sequence, 0.01)] == [["new>degraded"], ["cause"]]
    expired = outcome_of(STEP, finding_at("tls.cert_expired"))
    assert expired.status is Status.FAILED
    assert [described(change) for change in sequence.step(expired)] == ["degraded>down"]


@pytest.fixture
def environment(tmp_path: Path, sandbox: Sandbox, fake_channels: FakeChannels) -> Environment:
    """Return two accounts of one server that are watched."""
    return Environment(tmp_path, sandbox, fake_channels)


def run_with(environment: Environment, days: float) -> None:
    """Run a cycle on the day on which the certificate of the server has so many days left."""
    at = datetime.now(UTC) + timedelta(days=GOOD_DAYS - days)
    environment.minutes = (at - START) // timedelta(minutes=1) - 15
    report = environment.run()
    assert report.warnings == ()
    assert all(step.status is (Status.WARNING if days < 21 else Status.OK) for step in report.steps)


def test_whole_runs_tell_of_it_twice_before_it_ends(environment: Environment) -> None:
    heard = []
    for days in (60.0, 20.5, 12.5, 6.5, 3.5):
        run_with(environment, days)
        heard.append(len(environment.kinds()))
    assert heard == [0, 1, 1, 2, 2]
    assert environment.kinds() == ["warning", "warning"]
    first, second = environment.fake_channels.taken_by("phone")
    assert ": Certificate warning since " in first.title
    assert ": Certificate still warning since " in second.title
    assert environment.told() == {"certificate:127.0.0.1"}
