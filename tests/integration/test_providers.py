"""One route per kind of provider, end to end, configured as documented."""

from __future__ import annotations

import hashlib
import re
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from mailmon.sandbox import Message, Sandbox
from tests.bed import Bed
from tests.embedded import findings_of
from tests.integration.documented import PAGE, Ports, bed_ports, monitor_for
from tests.monitor import Monitor
from tests.peers.container import Container
from tests.peers.dynip import Dynip
from tests.peers.exchange import Exchange
from tests.peers.gmail import ALL_MAIL, SPAM, TRASH, Gmail
from tests.peers.tokens import TokenEndpoint

DOMAINS = {"loop.example.org": "loop.test", "example.org": "mail.test"}
ON_BED = ("Your own server", "An alias, a catch-all, a forward", "From outside, on port 25", "POP3 only")
ON_PEERS = (
    "A mail server in a container",
    "A throw-away mailbox",
    "Gmail and Google Workspace",
    "Microsoft 365 and Exchange",
)
FOREIGN = (
    b"From: a@example.org\r\nTo: x@example.org\r\nSubject: invoice\r\nMessage-ID: <1@example.org>\r\n\r\nHello\r\n"
)


def ports_of(sandbox: Sandbox) -> Ports:
    ports = {("smtp", 587): sandbox.smtp_port, ("smtp", 465): sandbox.smtps_port, ("imap", 993): sandbox.imaps_port}
    return Ports(ports, sandbox.ca_file)


def is_probe(raw: bytes) -> bool:
    return b"X-Mailmon-Token" in raw


def probes(sandbox: Sandbox, address: str, *folders: str) -> list[Message]:
    return [one for name in folders for one in sandbox.store.mailbox(address, name).messages if is_probe(one.raw)]


def green(monitor: Monitor, times: int = 2) -> None:
    for _ in range(times):
        run = monitor.check()
        assert (run.exit_code, run.troubled) == (0, []), run.stdout + run.stderr


def test_every_provider_of_the_page_is_run() -> None:
    headings = re.findall(r"(?m)^## (.*)$", PAGE.read_text("utf-8"))
    assert headings == [*ON_BED, *ON_PEERS]


@pytest.mark.parametrize("heading", ON_BED)
def test_a_route_works_at_real_servers(heading: str, bed: Bed, tmp_path: Path) -> None:
    bed.reset()
    monitor = monitor_for(heading, tmp_path, bed_ports(bed), DOMAINS)
    (tmp_path / "password").write_text(bed.password)
    bed.deliver("monitor", FOREIGN)
    green(monitor)
    assert len(bed.mails("monitor")) == 1
    assert not any(is_probe(mail.read_bytes()) for name in ("monitor", "catchall") for mail in bed.mails(name))


@pytest.fixture
def container(tmp_path: Path) -> Iterator[tuple[Container, Monitor]]:
    peer = Container("Monitor@example.org", "password-s3cret")
    with peer:
        monitor = monitor_for("A mail server in a container", tmp_path, ports_of(peer))
        shown = ssl.get_server_certificate(("127.0.0.1", peer.imaps_port))
        digest = hashlib.sha256(ssl.PEM_cert_to_DER_cert(shown)).hexdigest()
        for service in ("smtp", "imap"):
            monitor.config["accounts"]["main"][service]["tls_sha256"] = [digest]
        monitor.config["checks"]["receive"] = {"timeout_s": 2}
        yield peer, monitor


def test_a_container_is_watched(container: tuple[Container, Monitor]) -> None:
    peer, monitor = container
    green(monitor)
    assert probes(peer, "Monitor@example.org", "INBOX") == []


def test_a_container_whose_certificate_was_made_anew_gets_no_password(container: tuple[Container, Monitor]) -> None:
    peer, monitor = container
    peer.faults.certificate = "good"
    assert set(findings_of(monitor.check())) == {"tls.pin_mismatch"}
    assert peer.logins == {}


@pytest.mark.parametrize(
    ("change", "step", "finding", "words"),
    [
        ({"username": "monitor@example.org"}, "smtp_auth:main", "smtp.login_refused", "535"),
        ({"address": "other@example.org", "username": "Monitor@example.org"}, "send:main", "smtp.rcpt_refused", "553"),
    ],
    ids=["case", "sender"],
)  # fmt: skip
def test_a_container_is_strict_about_names(
    container: tuple[Container, Monitor], change: dict[str, str], step: str, finding: str, words: str
) -> None:
    _, monitor = container
    monitor.config["accounts"]["main"] |= change
    found = monitor.check().step(step)["findings"][0]
    assert (found["id"], words in found["message"]) == (finding, True)


def test_a_container_has_no_plus_addresses(container: tuple[Container, Monitor]) -> None:
    _, monitor = container
    monitor.config["routes"]["main"]["to"] = "Monitor+x@example.org"
    found = monitor.check().step("send:main")["findings"][0]
    assert (found["id"], "550 5.1.1" in found["message"]) == ("smtp.rcpt_refused", True)


def test_what_a_container_took_and_then_bounced_or_lost_is_told_apart(container: tuple[Container, Monitor]) -> None:
    peer, monitor = container
    peer.faults.bounce = "5.3.0 unknown mail system error 101"
    found = monitor.check().step("receive:main")["findings"][0]
    assert (found["id"], "unknown mail system error 101" in found["message"]) == ("route.bounced", True)
    peer.faults.bounce, peer.faults.lose_mail = None, True
    found = monitor.check().step("receive:main")["findings"][0]
    assert found["id"] == "route.not_received"
    assert peer.accepted[-1].queue_id in found["message"] + found["fix"]


@pytest.mark.parametrize("change", ["footer", "pixel", "glue"])
def test_what_a_container_does_to_a_message_is_told(container: tuple[Container, Monitor], change: str) -> None:
    peer, monitor = container
    setattr(peer.faults, change, True)
    run = monitor.check()
    assert (run.exit_code, findings_of(run)) == (0, ["route.modified"])


def test_a_throw_away_mailbox_is_watched_and_its_open_door_told_once(tmp_path: Path) -> None:
    """With old mail in it, among which a message that is larger than anything that we would keep."""
    with Dynip() as peer:
        old = [
            b"From: shop@example.net\r\nTo: monitor@tempmail.example\r\nSubject: %d\r\n\r\nold\r\n" % number
            for number in range(60)
        ]
        peer.mails["monitor@tempmail.example"] = [*old, b"Subject: large\r\n\r\n" + b"x" * 79 + b"\r\n" * 3_000_000]
        ports = Ports({("smtp", 2525): peer.smtp_port, ("imap", 143): peer.imap_port})
        monitor = monitor_for("A throw-away mailbox", tmp_path, ports)
        first = monitor.check()
        assert (first.exit_code, first.troubled) == (1, ["wrong_password:main"])
        assert first.step("wrong_password:main")["findings"][0]["id"] == "imap.any_password_accepted"
        for _ in range(3):
            run = monitor.check()
            assert (run.exit_code, run.troubled) == (0, []), run.stdout
            assert run.step("receive:main")["metrics"]["delivery_s"] < 3
            assert findings_of(run) == ["cleanup.not_possible"]
        assert sum(map(is_probe, peer.mails["monitor@tempmail.example"])) == 4
    assert "password-s3cret" in peer.passwords


@pytest.mark.parametrize("password", ['a"b', "a\\b", "plain"])
def test_a_server_that_knows_no_escapes_gets_the_right_password(tmp_path: Path, password: str) -> None:
    with Dynip() as peer:
        ports = Ports({("smtp", 2525): peer.smtp_port, ("imap", 143): peer.imap_port})
        monitor = monitor_for("A throw-away mailbox", tmp_path, ports)
        del monitor.config["accounts"]["main"]["wrong_password_interval"]
        (tmp_path / "password").write_text(password)
        monitor.check()
        assert set(peer.passwords) == {password}


@pytest.fixture
def google(tmp_path: Path) -> Iterator[tuple[Gmail, Monitor, TokenEndpoint]]:
    peer = Gmail("someone@gmail.com", "ya29.t0ken")
    with peer, TokenEndpoint("ya29.t0ken") as tokens:
        monitor = monitor_for("Gmail and Google Workspace", tmp_path, ports_of(peer))
        monitor.config["accounts"]["google"]["oauth"]["token_url"] = tokens.url
        yield peer, monitor, tokens


def test_gmail_is_watched_and_no_probe_stays_under_any_label(google: tuple[Gmail, Monitor, TokenEndpoint]) -> None:
    peer, monitor, tokens = google
    address = "someone@gmail.com"
    peer.store.mailbox(address).append(FOREIGN)
    green(monitor)
    assert probes(peer, address, "INBOX", ALL_MAIL, TRASH, SPAM) == []
    assert [one.raw for one in peer.store.mailbox(address, ALL_MAIL).messages] == [FOREIGN]
    assert [one.raw for one in peer.store.mailbox(address).messages] == [FOREIGN]
    assert {form["grant_type"][0] for form in tokens.forms} == {"refresh_token"}
    assert tokens.forms[0]["refresh_token"] == ["refresh-token-s3cret"]


def test_gmails_spam_is_told_and_emptied_of_probes(google: tuple[Gmail, Monitor, TokenEndpoint]) -> None:
    peer, monitor, _ = google
    peer.faults.folder = SPAM
    monitor.config["checks"]["receive"] = {"timeout_s": 2}
    assert findings_of(monitor.check()) == ["route.in_junk"]
    assert probes(peer, "someone@gmail.com", "INBOX", ALL_MAIL, TRASH, SPAM) == []


def test_a_token_that_gmail_refuses_is_told(google: tuple[Gmail, Monitor, TokenEndpoint]) -> None:
    _, monitor, tokens = google
    tokens.answer = (200, b'{"access_token": "ya29.0ther", "expires_in": 3599}')
    run = monitor.check("-v")
    assert sorted(findings_of(run)) == ["imap.login_refused", "smtp.login_refused"]
    assert "ya29.0ther" not in run.stdout + run.stderr


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[tuple[Exchange, Monitor]]:
    peer = Exchange("someone@example.com", "eyJ0.t0ken")
    with peer, TokenEndpoint("eyJ0.t0ken") as tokens:
        monitor = monitor_for("Microsoft 365 and Exchange", tmp_path, ports_of(peer))
        monitor.config["accounts"]["office"]["oauth"]["token_url"] = tokens.url
        yield peer, monitor


def test_exchange_is_watched_and_its_probes_are_flagged_once(exchange: tuple[Exchange, Monitor]) -> None:
    peer, monitor = exchange
    peer.store.mailbox("someone@example.com").append(FOREIGN, ["\\Deleted"])
    for number in range(1, 5):
        run = monitor.check("--all")
        assert (run.exit_code, run.troubled) == (0, []), run.stdout
        assert f"{number} of our probes stay" in run.step("cleanup:office")["findings"][0]["message"]
    messages = peer.store.mailbox("someone@example.com").messages
    assert [is_probe(one.raw) for one in messages] == [False, True, True, True, True]
    assert all("\\Deleted" in one.flags for one in messages)
    assert b"Message-ID: <AM0PR01MB" in messages[1].raw


def test_what_exchange_changes_is_told_and_its_coding_is_no_change(exchange: tuple[Exchange, Monitor]) -> None:
    _, monitor = exchange
    monitor.config["routes"]["office"]["expect"] = {"unmodified": True}
    step = monitor.check().step("receive:office")
    assert [one["id"] for one in step["findings"]] == ["route.modified"]
    assert "the field Message-Id reads" in step["message"]
    assert "encoded anew as quoted-printable" in step["message"]
