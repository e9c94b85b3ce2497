"""Arguments that can name nothing are wrong usage, reported in one line."""

from __future__ import annotations

import re

import pytest
from click.testing import CliRunner

from mailmon.cli import cli


@pytest.mark.parametrize(
    "command",
    [
        "dns 5.9.7.25",
        "dns 999.1.1.1",
        "dns 2001:db8::1",
        "dns a..b",
        "dns firm.example..",
        "dns new.example --host 5.9.7.25",
        "diagnose a..b",
        "diagnose [::1",
        "diagnose 5.9.7.256",
    ],
)
def test_a_name_that_nothing_can_have_is_a_wrong_use_and_nothing_is_asked(command: str) -> None:
    done = CliRunner().invoke(cli, [*command.split(), "--nameserver", "127.0.0.1:9"])
    assert done.exit_code == 2, done.output
    assert [line for line in done.output.splitlines() if re.search(" is not? ", line)] == [done.output.splitlines()[-1]]
