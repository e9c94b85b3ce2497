"""Numbers that `float` reads and nobody can wait for (nan, inf) are refused everywhere."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from mailmon.cli import cli


@pytest.mark.parametrize("text", ["nan", "-nan", "inf", "-inf", "Infinity", "1e999"])
@pytest.mark.parametrize(
    "command",
    [
        "dns firm.example --timeout",
        "dns firm.example --deadline",
        "diagnose mx1.firm.example --timeout",
        "diagnose mx1.firm.example --deadline",
        "spf --ip 192.0.2.1 --helo mx1.firm.example --timeout",
        "bounces scan --timeout",
        "check --receive-timeout",
        "sandbox --seconds",
        "sandbox --fault delivery_delay_s",
    ],
)
def test_a_time_that_is_no_number_is_a_wrong_use_and_nothing_is_asked(command: str, text: str) -> None:
    done = CliRunner().invoke(cli, f"{command}={text}".split())
    assert done.exit_code == 2, done.output
    assert "Error: " in done.output
