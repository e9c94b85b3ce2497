"""Each fault is found, nothing is invented, no harm is done: small servers on loopback, good and bad ones."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

from mailmon.diagnose.plan import KINDS, Options, Request
from mailmon.diagnose.run import diagnose
from mailmon.model import Severity, Verdict
from mailmon.model.diagnosis import Diagnosis
from tests.diagnose.servers import RELAYS, SERVERS, Server

ALL = {server.name: server for server in (*SERVERS, *RELAYS)}
TIMEOUT_S = 3.0
# They are on loopback, so this they all have.
LOCAL = "dns.mx_private"


class Looked:
    """The running servers, and what was said of each; all are looked at side by side, as most of it is waiting."""

    def __init__(self, zoo: Any) -> None:
        self.zoo = zoo
        self._pool = ThreadPoolExecutor(12)
        self._results: dict[str, Future[Diagnosis]] = {
            name: self._pool.submit(self._look, server) for name, server in ALL.items()
        }

    def result(self, name: str) -> Diagnosis:
        return self._results[name].result(120)

    def log(self, name: str) -> Any:
        return self.zoo.animals[name].log

    def _look(self, server: Server) -> Diagnosis:
        animal = self.zoo.animals[server.name]
        host, _, port = animal.target.partition(":")
        nameserver = self.zoo.nameserver.split(":")
        request = Request(
            host,
            (KINDS[server.kind]._replace(port=int(port)),),
            is_whole_host=False,
            nameservers=((nameserver[0], int(nameserver[1])),),
        )
        options = Options(str(self.zoo.ca_file), TIMEOUT_S, relay=server.relay, is_intrusive=server.is_intrusive)
        return diagnose(request, options)


@pytest.fixture(scope="module")
def looked(test_data: Path) -> Iterator[Looked]:
    folder = test_data / "diagnose"
    if not (folder / "zoo.py").exists():
        pytest.skip("MAILMON_TEST_DATA holds no diagnose/zoo.py")
    sys.path.insert(0, str(folder))
    try:
        zoo = importlib.import_module("zoo")
        specs = [zoo.Spec.from_json({"name": s.name, "family": "own", "as": s.kind, **s.spec}) for s in ALL.values()]
        with zoo.Zoo(specs) as running:
            yield Looked(running)
        running._loop.close()
    finally:
        sys.path.remove(str(folder))


@pytest.mark.parametrize("name", ALL)
def test_what_is_wrong_is_said_and_nothing_else(looked: Looked, name: str) -> None:
    server, found = ALL[name], looked.result(name).findings
    said = [(one.id, one.status.value, one.message) for one in found if one.status is not Verdict.PASS]
    for wanted in server.must:
        pattern, _, statuses = wanted.partition("=")
        allowed = statuses.split("|") if statuses else ["fail"]
        assert any(fnmatchcase(one.id, pattern) and one.status.value in allowed for one in found), (wanted, said)
    failed = [one for one in found if one.status is Verdict.FAIL]
    assert [one for one in failed if any(fnmatchcase(one.id, pattern) for pattern in server.never)] == []
    if server.is_healthy:
        assert [one for one in failed if one.severity is not Severity.INFO and one.id != LOCAL] == []
        assert [one for one in found if one.status is Verdict.UNKNOWN] == []
    asked = {wanted.partition("=")[0] for wanted in server.must}
    serious = [one for one in failed if one.severity in (Severity.CRITICAL, Severity.ERROR)]
    assert [one for one in serious if not any(fnmatchcase(one.id, pattern) for pattern in asked)] == [], said


@pytest.mark.parametrize("name", ALL)
def test_no_message_is_relayed_and_none_sent_without_leave(looked: Looked, name: str) -> None:
    looked.result(name)
    log = looked.log(name)
    assert log.relayed == []
    assert ALL[name].is_intrusive or (log.messages, log.logins) == (0, 0)
    assert log.connections <= 20


@pytest.mark.parametrize("name", ALL)
def test_what_servers_say_is_shown_without_control_characters(looked: Looked, name: str) -> None:
    result = looked.result(name)
    texts = [text for one in result.findings for text in (one.message, one.evidence, one.found, one.expected)]
    texts += [line.text for one in result.transcripts for line in one.lines]
    texts += [text for one in result.services for text in (one.banner, one.ehlo, *one.extensions)]
    assert [text for text in texts if not text.isprintable()] == []


@pytest.mark.parametrize("name", ALL)
def test_every_failure_has_a_severity_and_a_fix_for_what_can_be_mended(looked: Looked, name: str) -> None:
    for one in looked.result(name).findings:
        assert (one.status is Verdict.FAIL) == (one.severity is not None)
        assert one.message.startswith(f"{one.target}: ")
        assert one.fix or one.status is not Verdict.FAIL
