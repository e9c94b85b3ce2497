"""A configuration with a bounce log, and the commands that read it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from click.testing import CliRunner, Result

from mailmon.cli import cli
from mailmon.mail.bounce.values import Kind
from mailmon.store.bouncelog.log import BounceLog
from tests.store.bouncelog.samples import BOB, FULL, HOUR, INBOX, LATE, RUN, seen

NOW = datetime.now(UTC)


class BounceCommands(NamedTuple):
    """A configuration with a bounce log, and the commands that read it."""

    directory: Path

    @property
    def state_file(self) -> Path:
        return self.directory / "state.json"

    def run(self, *arguments: str, columns: int | None = None) -> Result:
        command = ["bounces", *arguments, "--config", str(self.directory / "config.json")]
        return CliRunner(env={"COLUMNS": str(columns or "")}).invoke(cli, command)

    def document(self, *arguments: str) -> Any:
        result = self.run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    def rows(self, *arguments: str) -> str:
        """Return the first letters of the recipients that are listed."""
        return "".join(row["address"][:1] or "-" for row in self.document("list", *arguments)["bounces"])


@pytest.fixture
def no_bounces(tmp_path: Path) -> BounceCommands:
    config = {
        "smtp_host": "mail.example.org", "imap_host": "mail.example.org", "username": "m@example.org",
        "password_file": "/nowhere", "test_recipient": "m@example.org", "state_file": str(tmp_path / "state.json"),
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(config))
    return BounceCommands(tmp_path)


@pytest.fixture
def commands(no_bounces: BounceCommands) -> BounceCommands:
    with BounceLog(no_bounces.state_file, NOW) as log:
        batch = [
            seen(1, BOB, FULL),
            seen(2, LATE, kind=Kind.DELAYED),
            seen(3, kind=Kind.FEEDBACK),
            seen(4, kind=Kind.OTHER),
            seen(5, BOB),
        ]
        ages = [HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR, 30 * HOUR]
        batch = [one._replace(received_at=NOW - age) for one, age in zip(batch, ages, strict=True)]
        log.record(INBOX, 5, batch, RUN._replace(at=NOW))
    return no_bounces
