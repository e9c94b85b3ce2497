"""docs/dns.md shows what the command prints."""

from __future__ import annotations

import re
from pathlib import Path

from click.testing import CliRunner

from mailmon.cli import cli
from tests.domain.cases import Case, Changes, zones_of
from tests.domain.nameserver import serving

PAGE = Path(__file__).parents[2] / "docs" / "dns.md"
# The page uses an address for documentation (RFC 5737); to mailmon such a one is private.
ADDRESS, SHOWN = "9.9.9.10", "192.0.2.10"
CHANGES: Changes = {
    "@ MX": ["10 mx1.firm.example."],
    "mx1 AAAA": None,
    "mx2 A": None,
    "@ TXT": ['"v=spf1 a -all"', '"v=spf1 mx ~all"'],
    "_smtp._tls TXT": None,
    "_imaps._tcp SRV": None,
    "_submissions._tcp SRV": None,
    "s1._domainkey TXT": ['"v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="'],
}


def examples() -> list[tuple[str, str]]:
    """Return each command on the page with what is printed below it."""
    blocks = re.findall(r"```console\n\$ mailmon (dns .*)\n((?:.*\n)*?)```", PAGE.read_text("utf-8"))
    return [(command, shown) for command, shown in blocks]


def printed(*arguments: str, changes: Changes) -> str:
    with serving(zones_of(Case("", "", changes))) as server:
        # As wide as the lines of the page; the reader of a file would get one line per record.
        runner = CliRunner(env={"COLUMNS": "110"})
        run = runner.invoke(cli, ["dns", *arguments, "--nameserver", f"127.0.0.1:{server.port}"])
    # The address for documentation is longer, and with it what stands beside it in a column.
    lines = run.stdout.replace(f"{ADDRESS}  ", f"{SHOWN}").replace(ADDRESS, SHOWN).splitlines()
    return "\n".join(re.sub(r"\(\d+\.\d s\)", "(0.2 s)", line.rstrip()) for line in lines)


def test_the_example_of_a_domain_is_what_is_printed() -> None:
    (command, shown), *_ = examples()
    arguments = command.replace(SHOWN, ADDRESS).split()[1:]
    out = printed(*arguments, changes=CHANGES)
    missing = [line for line in shown.splitlines() if line.rstrip() not in out.splitlines()]
    assert not missing, f"not printed:\n{missing}\n\nbut\n{out}"
    assert len(shown.splitlines()) > 20


def test_the_example_of_a_new_domain_is_how_it_begins(tmp_path: Path) -> None:
    command, shown = examples()[1]
    key = tmp_path / "mail.txt"
    key.write_text('mail._domainkey IN TXT ( "v=DKIM1; k=ed25519; " "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=" )')
    arguments = command.replace(SHOWN, ADDRESS).replace("mail.txt", str(key)).split()[1:]
    assert printed(*arguments, changes={}).startswith(shown.rstrip())
