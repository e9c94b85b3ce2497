"""Domains with letters beyond ASCII are those of IDNA 2008, whoever asks for them (RFC 5891, RFC 5895)."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from click.testing import CliRunner

from mailmon.cli import cli
from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Answered, Records
from mailmon.clients.resolver import resolve_with_system, resolver_for
from mailmon.clients.server import tls_name
from mailmon.diagnose.certificate import matches
from mailmon.diagnose.plan import split_target
from mailmon.domain.options import read_domain
from mailmon.errors import StageError
from tests.domain.nameserver import NameServer, serving, zone_of

SHARP, OTHER = "xn--strae-oqa.example", "strasse.example"


@pytest.fixture
def server() -> Iterator[NameServer]:
    zones = [
        zone_of(SHARP, '@ MX 10 mx\nmx A 9.9.9.10\n@ A 9.9.9.10\n@ TXT "v=spf1 ip4:192.0.2.7 -all"'),
        zone_of(OTHER, '@ MX 10 wrong\n@ A 9.9.9.99\n@ TXT "v=spf1 -all"'),
    ]
    with serving(zones) as server:
        yield server


@pytest.mark.parametrize("name", ["straße.example", "Straße.Example.", "STRAẞE.example", SHARP, "straße。example"])
def test_dns_looks_at_the_domain_that_was_named_and_not_at_another(name: str, server: NameServer) -> None:
    run = CliRunner().invoke(cli, ["dns", name, "--no-connect", "--json", "--nameserver", f"127.0.0.1:{server.port}"])
    document = json.loads(run.stdout)
    assert document["domain"] == SHARP
    assert [row["found"] for row in document["records"] if row["type"] == "MX"] == [[f"10 mx.{SHARP}"]]
    assert not [one for one in server.asked if "strasse" in one]


def test_spf_asks_for_the_domain_of_the_sender_and_not_for_another(server: NameServer) -> None:
    arguments = ["--ip", "192.0.2.7", "--mail-from", "anna@straße.example", "--nameserver", f"127.0.0.1:{server.port}"]
    run = CliRunner().invoke(cli, ["spf", "--json", "--helo", "mx.straße.example", *arguments])
    assert (json.loads(run.stdout)["result"], json.loads(run.stdout)["domain"]) == ("pass", SHARP)


def test_addresses_are_looked_up_under_the_name_of_idna_2008(server: NameServer) -> None:
    nameservers = [("127.0.0.1", server.port)]
    found = resolver_for(nameservers)("straße.example", 25, Deadline(5))
    assert [address for _, (address, _) in found] == ["9.9.9.10"]
    assert Records(nameservers, 2.0).ask("straße.example", "A").values == ("9.9.9.10",)
    assert Records(nameservers, 2.0).ask("☃.example", "A").kind is Answered.NXDOMAIN


def test_a_certificate_is_asked_for_and_compared_by_the_name_of_idna_2008() -> None:
    assert tls_name("mail.straße.example") == f"mail.{SHARP}".encode()
    assert matches("mail.straße.example", f"*.{SHARP}")
    assert not matches("straße.example", OTHER)
    assert split_target("straße.example:25") == (SHARP, ("25",))


@pytest.mark.parametrize(
    "name", ["☃.example", "a\u200bb.straße.example", "a.-ü.example", "ü-.example", "ü..example", "é" * 80 + ".example"]
)
def test_a_name_that_idna_does_not_allow_is_refused_with_the_reason(name: str) -> None:
    if "\u200b" not in name:  # a blank of no width is left out by the mapping
        with pytest.raises(ValueError, match="is not a domain"):
            read_domain(name)
        run = CliRunner().invoke(cli, ["dns", name])
        assert (run.exit_code, "IDNA" in run.output or "is not a domain" in run.output) == (2, True)
        with pytest.raises(StageError) as raised:
            resolve_with_system(name, 25, Deadline(5))
        assert raised.value.finding_id == "dns.host_not_found"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("BÜCHER.example", "xn--bcher-kva.example"),
        ("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example"),
        ("ﬁrm.example", "firm.example"),
        ("faß.ΒΌΛΟΣ.example", "xn--fa-hia.xn--nxasmq6b.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
    ],
)
def test_capitals_and_compatible_letters_are_mapped(name: str, expected: str) -> None:
    assert read_domain(name) == expected
