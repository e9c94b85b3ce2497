"""`mailmon spf`: the result and its terms, with the bed's real DNS server."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bed import Bed
from tests.cli.programs import run

pytestmark = pytest.mark.bed


@pytest.mark.parametrize(
    ("address", "sender", "result"),
    [
        ("127.0.0.1", "alice@mail.test", "pass"),
        ("192.0.2.1", "alice@mail.test", "fail"),
        ("192.0.2.1", "alice@broken.test", "permerror"),
        ("192.0.2.1", "alice@nowhere.broken.test", "none"),
    ],
)
def test_the_result_and_its_reason_are_told(bed: Bed, tmp_path: Path, address: str, sender: str, result: str) -> None:
    asked = ["spf", "--ip", address, "--mail-from", sender, "--nameserver", f"127.0.0.1:{bed.ports['dns']}"]
    text = run(tmp_path, *asked)
    assert (text.returncode, text.stdout.startswith(f"{result}: ")) == (0, True), text.stdout + text.stderr
    document = json.loads(run(tmp_path, *asked, "--json").stdout)
    assert (document["schema"], document["result"]) == ("mailmon/spf/1", result)
    assert {"explanation", "lookups", "void_lookups", "trace"} <= set(document)


def test_name_servers_that_do_not_answer_are_a_temporary_error(tmp_path: Path) -> None:
    asked = ["--ip", "192.0.2.1", "--mail-from", "a@example.org", "--nameserver", "127.0.0.1:9", "--timeout", "0.5"]
    assert run(tmp_path, "spf", *asked).stdout.startswith(
        "temperror: example.org: TXT: the name servers cannot be queried"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--ip", "x", "--helo", "a.example"), "--ip: 'x' is not an IP address"),
        (("--ip", "192.0.2.1"), "--mail-from: requires an envelope sender"),
        (("--ip", "192.0.2.1", "--helo", "a.example", "--nameserver", "x:y"), "HOST:PORT"),
    ],
)
def test_wrong_usage_is_told(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run(tmp_path, "spf", *arguments)
    assert (done.returncode, words in done.stderr) == (2, True), done.stderr
