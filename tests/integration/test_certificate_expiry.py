"""A certificate that expires soon is a warning long before it is an outage."""

from __future__ import annotations

from typing import Any

import pytest

from mailmon.sandbox import Sandbox
from mailmon.sandbox.receiver import Receiver
from tests.embedded import findings_of, kinds, state_of
from tests.monitor import Monitor

LOGINS = ["imap_auth:main", "smtp_auth:main"]
CERTIFICATE = "certificate:127.0.0.1"


@pytest.fixture
def soon(monitor: Monitor, sandbox: Sandbox) -> Monitor:
    """A monitor of a server whose certificate has five days left."""
    sandbox.faults.certificate = "soon"
    return monitor


def days_of(monitor: Monitor, **days: float) -> None:
    """Set from how many days on each check warns."""
    monitor.config["checks"] |= {check: {"certificate_days": limit} for check, limit in days.items()}


def test_a_certificate_that_expires_soon_is_a_warning_and_mail_goes_on(soon: Monitor, receiver: Receiver) -> None:
    run = soon.check()
    assert (run.exit_code, run.document["status"], run.troubled) == (0, "warning", LOGINS)
    assert findings_of(run) == ["tls.cert_expiring"] * 2
    for step in map(run.step, LOGINS):
        assert step["status"] == "warning"
        assert step["message"].endswith(": the certificate expires in 5 days")
        assert step["advice"] == "Renew the certificate and reload the mail server."
        assert step["metrics"]["certificate_days"] == pytest.approx(5.04, abs=0.02)
    assert run.step("receive:main")["status"] == "ok"
    changes = {change["id"]: (change["from"], change["to"]) for change in run.document["changes"]}
    assert changes == {CERTIFICATE: ("new", "degraded")}
    assert state_of(soon)["checks"][CERTIFICATE]["health"] == "degraded"
    assert [state_of(soon)["checks"][step_id]["health"] for step_id in LOGINS] == ["up"] * 2
    [message] = receiver.ntfy_messages()
    assert kinds(receiver) == ["warning"]
    assert " Certificate warning since " in str(message["title"])
    assert str(message["message"]).count("expires in 5 days; shown at 127.0.0.1:") == 1
    assert "the certificate expires in 5 days" in str(message["message"])


def test_of_a_certificate_that_expires_soon_people_are_told_once_and_of_its_renewal(
    soon: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    for _ in range(3):
        assert soon.check().exit_code == 0
    assert kinds(receiver) == ["warning"]
    sandbox.faults.certificate = "good"
    run = soon.check()
    assert run.document["status"] == "ok"
    assert run.step("imap_auth:main")["metrics"]["certificate_days"] == pytest.approx(90, abs=0.1)
    assert kinds(receiver) == ["warning", "recovery"]
    assert " Certificate recovered after " in str(receiver.ntfy_messages()[1]["title"])


def test_a_certificate_that_has_expired_after_its_warning_is_a_failure(
    soon: Monitor, sandbox: Sandbox, receiver: Receiver
) -> None:
    soon.check()
    sandbox.faults.certificate = "expired"
    run = soon.check()
    assert (run.exit_code, findings_of(run)) == (1, ["tls.cert_expired"] * 2)
    assert [(change["id"], change["to"]) for change in run.document["changes"]] == [(name, "down") for name in LOGINS]
    sandbox.faults.certificate = "good"
    soon.check()
    assert kinds(receiver) == ["warning", "problem", "recovery"]


def test_in_its_last_days_a_certificate_counts_as_failed(soon: Monitor, receiver: Receiver) -> None:
    soon.config["checks"]["imap_auth"] = {"certificate_critical_days": 6}
    run = soon.check()
    assert (run.exit_code, run.troubled) == (1, [*LOGINS, CERTIFICATE])
    assert [run.step(step_id)["status"] for step_id in run.troubled] == ["warning", "warning", "failed"]
    assert run.step("receive:main")["status"] == "ok"
    assert [(change["id"], change["to"]) for change in run.document["changes"]] == [(CERTIFICATE, "down")]
    assert "Certificate expiring since " in str(receiver.ntfy_messages()[0]["title"])


@pytest.mark.parametrize(
    ("days", "warned"),
    [
        ({"imap_auth": 5, "smtp_auth": 5}, []),
        ({"imap_auth": 0, "smtp_auth": 0}, []),
        ({"imap_auth": 6}, LOGINS),
        ({"imap_auth": 5}, ["smtp_auth:main"]),
        ({"smtp_auth": 4.5}, ["imap_auth:main"]),
    ],
)
def test_each_login_warns_from_its_own_day_on(
    soon: Monitor, receiver: Receiver, days: dict[str, float], warned: list[str]
) -> None:
    days_of(soon, **days)
    run = soon.check()
    assert (run.exit_code, run.troubled) == (0, warned)
    assert kinds(receiver) == ["warning"] * bool(warned)


def test_a_certificate_that_lasts_is_a_warning_for_whoever_wants_it_a_year_before(
    monitor: Monitor, receiver: Receiver
) -> None:
    days_of(monitor, imap_auth=365)
    run = monitor.check()
    assert run.troubled == ["imap_auth:main"]
    [finding] = run.step("imap_auth:main")["findings"]
    assert (finding["severity"], finding["expected"]) == ("warning", ">= 365 days")
    assert finding["found"] in ("89 days", "90 days")  # it has been there for a moment


def test_a_warning_goes_to_the_channels_for_warnings_only(soon: Monitor, sandbox: Sandbox, receiver: Receiver) -> None:
    soon.config["notify"]["chat"] = {"type": "discord", "webhook": f"{receiver.url}/hook"}
    soon.config["checks"]["defaults"]["channels"] = {"warning": ["chat"]}
    soon.check()
    assert [request.path for request in receiver.requests] == ["/hook?wait=true"]
    sandbox.faults.certificate = "expired"
    soon.check()
    assert sorted(request.path for request in receiver.requests[1:]) == ["/", "/hook?wait=true"]


@pytest.mark.parametrize("certificate", ["soon", "expired"])
def test_without_verification_nothing_is_said_of_the_end(
    monitor: Monitor, sandbox: Sandbox, receiver: Receiver, certificate: str
) -> None:
    sandbox.faults.certificate = certificate
    account: dict[str, Any] = monitor.config["accounts"]["main"]
    for service in ("smtp", "imap"):
        del account[service]["ca_file"]
        account[service]["insecure"] = True
    run = monitor.check()
    assert (run.exit_code, run.troubled) == (0, [])
    assert all("certificate_days" not in run.step(step_id)["metrics"] for step_id in LOGINS)
    assert receiver.requests == []
