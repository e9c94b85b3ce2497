"""Every fault of a real mail server: the right stage and words, in time, nothing left behind, told exactly once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from mailmon.sandbox.receiver import Receiver
from tests.bed import Bed
from tests.link import Link
from tests.monitor import Monitor, Run

pytestmark = pytest.mark.bed

DEADLINE_S = 40.0
RECEIVE_S = 1.5


@dataclass
class Scene:
    """The bed behind two links, and a monitor that watches it."""

    bed: Bed
    smtp: Link
    imap: Link
    monitor: Monitor
    receiver: Receiver

    @property
    def account(self) -> dict[str, Any]:
        account: dict[str, Any] = self.monitor.config["accounts"]["main"]
        return account

    def send_to(self, address: str, receive_s: float = RECEIVE_S) -> None:
        self.monitor.config["routes"]["main"] |= {"to": address, "receive_timeout_s": receive_s}

    def probes_left(self) -> list[Path]:
        return [mail for mail in self.bed.mails("monitor") if b"X-Mailmon-Token" in mail.read_bytes()]


@pytest.fixture
def scene(bed: Bed, tmp_path: Path, receiver: Receiver) -> Iterator[Scene]:
    bed.reset()
    ca_file = tmp_path / "ca.pem"
    shutil.copyfile(bed.ca_file, ca_file)
    with Link(bed.ports["submission"]) as smtp, Link(bed.ports["imaps"]) as imap:
        trust = {"host": "localhost", "ca_file": "ca.pem", "timeout_s": 2}
        account = {
            "address": bed.user,
            "password": bed.password,
            "smtp": {"port": smtp.port, "security": "starttls", **trust},
            "imap": {"port": imap.port, "security": "tls", **trust},
        }
        config = {
            "accounts": {"main": account},
            "routes": {"main": {"from": "main", "to": bed.user, "in": "main", "receive_timeout_s": RECEIVE_S}},
            "notify": {"ntfy": {"server": receiver.url, "topic": "alerts"}},
            "deadline_s": DEADLINE_S,
        }
        yield Scene(bed, smtp, imap, Monitor(tmp_path, config), receiver)


def _nothing(_: Scene) -> None:
    return


@dataclass(frozen=True)
class Fault:
    """How something is broken and mended, and what a person must read of it. A warning is no failure: exit code 0."""

    name: str
    break_it: Callable[[Scene], None]
    step: str
    words: tuple[str, ...]
    mend: Callable[[Scene], None] = _nothing
    exit_code: int = 1
    finding: str = ""
    skips: tuple[str, ...] = field(default=("send:main", "receive:main"))
    named_from: int = 0  # the first run that must name it: a second copy may come when the first run has ended
    settle_s: float = 0.0  # until all mail that is still on its way has arrived


def _certificate(name: str) -> Callable[[Scene], None]:
    return lambda scene: scene.bed.use_certificate(name)


def _recipient(local_part: str, receive_s: float = RECEIVE_S) -> Callable[[Scene], None]:
    return lambda scene: scene.send_to(f"{local_part}@mail.test", receive_s)


def _good_recipient(scene: Scene) -> None:
    scene.send_to(scene.bed.user)


def _cut_imap(scene: Scene) -> None:
    scene.send_to("monitor+d2500@mail.test", 8)
    scene.imap.cut_after_s = 1.0


def _mend_cut(scene: Scene) -> None:
    scene.imap.heal()
    _good_recipient(scene)


def _password(word: str) -> Callable[[Scene], None]:
    return lambda scene: scene.account.update(password=word)


def _set(link: str, attribute: str, value: object) -> Callable[[Scene], None]:
    return lambda scene: setattr(getattr(scene, link), attribute, value)


def _plain_text_on_tls_port(scene: Scene) -> None:
    scene.imap.target = scene.bed.ports["imap"]


FAULTS = [
    Fault(
        "wrong password", _password("wrong"), "smtp_auth:main", ("login", "535 5.7.8"), _password("secret"),
        finding="smtp.login_refused",
    ),
    Fault(
        "wrong password by IMAP", _password("wrong"), "imap_auth:main", ("login", "AUTHENTICATIONFAILED"),
        _password("secret"), finding="imap.login_refused",
    ),
    Fault(
        "SMTP port refused", lambda s: s.smtp.refuse(), "smtp_auth:main", ("connect", "connection refused"),
        lambda s: s.smtp.heal(), finding="tcp.unreachable",
    ),
    Fault(
        "IMAP port refused", lambda s: s.imap.refuse(), "imap_auth:main", ("connect", "connection refused"),
        lambda s: s.imap.heal(), finding="tcp.unreachable", skips=("send:main", "receive:main", "cleanup:main"),
    ),
    Fault(
        "SMTP port silent", _set("smtp", "is_silent", True), "smtp_auth:main", ("greeting", "no answer within 2 s"),
        lambda s: s.smtp.heal(), finding="smtp.timeout",
    ),
    Fault(
        "IMAP port silent", _set("imap", "is_silent", True), "imap_auth:main", ("tls", "no answer within 2 s"),
        lambda s: s.imap.heal(), finding="imap.timeout", skips=("send:main", "receive:main", "cleanup:main"),
    ),
    Fault(
        "certificate expired", _certificate("expired"), "imap_auth:main", ("certificate", "expired"),
        _certificate("server"), finding="tls.cert_expired",
    ),
    Fault(
        "certificate self-signed", _certificate("selfsigned"), "smtp_auth:main", ("certificate", "self-signed"),
        _certificate("server"), finding="tls.cert_self_signed",
    ),
    Fault(
        "certificate for another name", _certificate("wronghost"), "imap_auth:main", ("certificate", "another name"),
        _certificate("server"), finding="tls.cert_name",
    ),
    Fault(
        "plain text on the TLS port", _plain_text_on_tls_port, "imap_auth:main", ("tls", "plain text"),
        lambda s: s.imap.heal(s.bed.ports["imaps"]), finding="imap.plaintext_on_tls_port",
    ),
    Fault(
        "450 at RCPT", _recipient("monitor+grey"), "send:main", ("RCPT", "450 4.2.0", "temporary"), _good_recipient,
        finding="smtp.rcpt_refused", skips=("receive:main",),
    ),
    Fault(
        "451 after DATA", _recipient("monitor+greyd"), "send:main", ("DATA", "451 4.7.1", "temporary"),
        _good_recipient, finding="smtp.data_refused", skips=("receive:main",),
    ),
    Fault(
        "550 at RCPT", _recipient("reject"), "send:main", ("RCPT", "550 5.1.1"), _good_recipient,
        finding="smtp.rcpt_refused", skips=("receive:main",),
    ),
    Fault(
        "accepted but never delivered", _recipient("monitor+blackhole"), "receive:main",
        ("not received within", "accepted by localhost", "as queue id"), _good_recipient,
        finding="route.not_received", skips=(),
    ),
    Fault(
        "delayed by more than the timeout", _recipient("monitor+d2200"), "receive:main", ("not received within 1.5 s",),
        _good_recipient, finding="route.not_received", skips=(), settle_s=1.5,
    ),
    Fault(
        "delivered twice", _recipient("monitor+dup"), "cleanup:main", ("delivered twice",), _good_recipient,
        exit_code=0, finding="route.delivered_twice", skips=(), named_from=1,
        settle_s=0.3,
    ),
    Fault(
        "bounced", _recipient("bounce", 10), "receive:main", ("as queue id", "then bounced: 5.2.2", "mailbox full"),
        _good_recipient, finding="route.bounced", skips=(),
    ),
    Fault(
        "IMAP cut while waiting", _cut_imap, "receive:main", ("arrival", "closed the connection"), _mend_cut,
        finding="imap.connection_lost", skips=(), settle_s=2.0,
    ),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_named_told_once_and_its_end_too(scene: Scene, fault: Fault) -> None:
    broken = []
    for _ in range(2):
        fault.break_it(scene)
        broken.append(scene.monitor.check())
        time.sleep(fault.settle_s if fault.named_from else 0)
        if fault.name == "IMAP cut while waiting":
            scene.imap.heal()
    fault.mend(scene)
    time.sleep(fault.settle_s)
    mended = [scene.monitor.check() for _ in range(2)]
    for run in broken[fault.named_from :]:
        _must_name(fault, run)
    assert [run.exit_code for run in mended] == [0, 0], mended[0].stdout + mended[0].stderr
    kinds = [_kind(message) for message in scene.receiver.ntfy_messages()]
    assert kinds == ["warning" if fault.exit_code == 0 else "problem", "recovery"]
    assert scene.probes_left() == []


def _must_name(fault: Fault, run: Run) -> None:
    assert run.exit_code == fault.exit_code, run.stdout + run.stderr
    assert run.took_s < DEADLINE_S
    step = run.step(fault.step)
    assert step["status"] == ("failed" if fault.exit_code else "warning"), run.stdout
    for words in fault.words:
        assert words in step["message"]
    assert fault.finding in [finding["id"] for finding in step["findings"]]
    for skipped in fault.skips:
        assert run.step(skipped)["status"] == "skipped"


def _kind(message: dict[str, Any]) -> str:
    tags = {"rotating_light": "problem", "warning": "warning", "white_check_mark": "recovery"}
    return tags[message["tags"][0]]


def test_a_green_cycle_says_so_and_tells_nobody(scene: Scene) -> None:
    run = scene.monitor.check()
    assert run.exit_code == 0, run.stderr
    assert run.document["status"] == "ok"
    assert [step["status"] for step in run.document["steps"]] == ["ok"] * 5
    assert scene.receiver.requests == []
    assert scene.probes_left() == []
    assert scene.smtp.connections == scene.imap.connections == 1


def test_a_delay_of_3400_ms_is_measured(scene: Scene) -> None:
    scene.send_to("monitor+d3400@mail.test", 10)
    run = scene.monitor.check()
    assert run.exit_code == 0, run.stdout
    metrics = run.step("receive:main")["metrics"]
    assert metrics["delivery_s"] - metrics["delivery_error_s"] - 0.005 <= 3.41
    assert 3.4 <= metrics["delivery_s"] <= 3.7


def test_a_probe_that_comes_late_is_told_with_its_delay(scene: Scene) -> None:
    scene.send_to("monitor+d2200@mail.test", 1)
    assert scene.monitor.check().exit_code == 1
    _good_recipient(scene)
    time.sleep(1.5)
    notes = []
    for _ in range(4):
        run = scene.monitor.check()
        notes += [f["message"] for step in run.document["steps"] for f in step["findings"]]
    assert len([note for note in notes if "arrived late, after" in note]) == 1
    assert scene.probes_left() == []


def test_mail_of_others_is_left_alone(scene: Scene) -> None:
    for subject in ("lunch?", "mailmon probe mm0123456789abcdef0123456789abcdef"):
        raw = f"From: boss@example.org\r\nTo: {scene.bed.user}\r\nSubject: {subject}\r\n\r\nHello\r\n"
        scene.bed.deliver("monitor", raw.encode())
    for _ in range(2):
        assert scene.monitor.check().exit_code == 0
    left = scene.bed.mails("monitor")
    assert len(left) == 2
    assert not any(":2,S" in mail.name for mail in left), "nothing may be marked as read"


@pytest.mark.parametrize("trouble", ["500", "hanging"])
def test_an_alert_that_ntfy_does_not_take_goes_out_with_a_later_run(scene: Scene, trouble: str) -> None:
    scene.account["password"] = "wrong"
    if trouble == "500":
        scene.receiver.status = 500
    else:
        scene.receiver.hang = True
    first = scene.monitor.check()
    assert first.exit_code == 1
    assert [alert["status"] for alert in first.document["alerts"]] == ["pending"]
    assert first.took_s < DEADLINE_S
    scene.receiver.status, scene.receiver.hang = 200, False
    scene.receiver.requests.clear()
    assert [alert["status"] for alert in scene.monitor.check().document["alerts"]] == ["sent"]
    scene.account["password"] = scene.bed.password
    for _ in range(2):
        assert scene.monitor.check().exit_code == 0
    assert [_kind(message) for message in scene.receiver.ntfy_messages()] == ["problem", "recovery"]


def test_two_routes_into_one_mailbox_are_both_measured(scene: Scene) -> None:
    """The cleanup of the first route expunges while the second one waits: the number of messages stays as it was."""
    route = scene.monitor.config["routes"]["main"]
    scene.monitor.config["routes"]["slow"] = {**route, "to": "monitor+d1100@mail.test", "receive_timeout_s": 5}
    for _ in range(3):
        run = scene.monitor.check()
        assert run.exit_code == 0, run.stdout
        metrics = run.step("receive:slow")["metrics"]
        assert 1.1 <= metrics["delivery_s"] < 1.4
        assert metrics["delivery_s"] - metrics["delivery_error_s"] <= 1.11
