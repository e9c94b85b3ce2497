"""Domains that are healthy but unusual: nothing is reported beyond their labels."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

import dns.zone
import pytest
from click.testing import CliRunner

from mailmon.cli import cli
from mailmon.domain.options import Options
from mailmon.domain.survey import survey
from tests.diagnose.authority import Authority, tlsa_words
from tests.diagnose.healthy import Certificate
from tests.diagnose.unusual import PORTS, Doors
from tests.domain.healthy import (
    DOMAINS,
    LIVE,
    LONG_KEY,
    MORE,
    NO_CAA,
    NO_STS,
    REVERSE,
    SIGNED,
    Changes,
    Domain,
    Live,
    ordinary,
)
from tests.domain.nameserver import NameServer, serving, zone_of
from tests.domain.unusual import Validating, WithoutEdns
from tests.domain.validating import make_key, resolving, signed
from tests.domain.web import Page, web
from tests.healthy import ON_LOOPBACK, excess
from tests.monitor import Monitor

# What a provider changes from one day to the next: addresses of its hosts, a DKIM key, the networks in its SPF.
ROTATED = {
    "the one MX host of a provider, named after the domain, with addresses that rotate": (
        "firm-example.mail.protection A 9.9.9.50",
        "firm-example.mail.protection A 9.9.9.53",
    ),
    "five MX hosts of one provider, of which some have no name": ("alt2.aspmx A 9.9.9.42", "alt2.aspmx A 9.9.9.45"),
    "DKIM keys by aliases to a provider, which rotates them, through three names": (
        "key-2026.keys CNAME k77.pool",
        f"key-2026.keys CNAME k78.pool\nk78.pool TXT {LONG_KEY}",
    ),
}

POLICY = "/.well-known/mta-sts.txt"


def lines(records: Changes) -> str:
    """Return the lines of a zone."""
    return "\n".join(f"{owner} {value}" for owner, values in records.items() for value in values or ())


def texts(domain: Domain) -> dict[str, str]:
    """Return the zones of a domain, as text by their origin."""
    return {
        domain.origin: lines({**ordinary(), **domain.records}),
        "example": "nothing TXT x",
        "in-addr.arpa": REVERSE + domain.reverse,
        **domain.others,
    }


def asked(domain: Domain, port: int) -> list[dict[str, Any]]:
    """Ask `mailmon dns` about a domain; return its findings."""
    options = ("--no-connect", "--nameserver", f"127.0.0.1:{port}", "--timeout", "2", "--json")
    result = CliRunner().invoke(cli, ["dns", domain.domain, *options, *domain.arguments])
    assert result.exit_code == 0 or "{" in result.stdout, result.output
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


@pytest.mark.parametrize("domain", [*DOMAINS, *MORE], ids=lambda domain: domain.name)
def test_nothing_is_reported_beyond_the_label(domain: Domain) -> None:
    zones = [zone_of(origin, text) for origin, text in texts(domain).items()]
    server = WithoutEdns(zones, domain.edns) if domain.edns else NameServer(zones)
    with contextlib.closing(server):
        found = asked(domain, server.port)
    assert excess(found, domain.may) == []
    assert any(one["status"] == "pass" for one in found)


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Serve all signed domains at once through Unbound: firm.example of the first is firm0.example, and so on."""
    found: dict[str, str] = {}
    keys = {"example": make_key("example")}
    for number, domain in enumerate(SIGNED):
        for origin, text in texts(domain).items():
            renamed = origin.replace(".example", f"{number}.example")
            found[renamed] = found.get(renamed, "") + text.replace(".example", f"{number}.example") + "\n"
        keys[f"firm{number}.example"] = make_key(f"firm{number}.example")
    found["example"] = "\n".join(f"{origin}. NS ns.{origin}." for origin in found if origin.endswith(".example"))
    found["example"] += "".join(f"\n{origin}. DS {key.ds.to_text()}" for origin, key in list(keys.items())[1:])
    zones: list[dns.zone.Zone] = []
    for origin, text in found.items():
        zone = zone_of(origin, text)
        zones.append(signed(zone, keys[origin]) if origin in keys else zone)
    with resolving(tmp_path_factory.mktemp("unbound"), zones, "example", keys["example"]) as (port, _):
        yield port


@pytest.mark.skipif(not shutil.which("unbound"), reason="unbound is not installed: make test-system-deps")
@pytest.mark.parametrize("number", range(len(SIGNED)), ids=[domain.name for domain in SIGNED])
def test_a_domain_seen_through_a_resolver_that_validates(number: int, resolver: int) -> None:
    domain = SIGNED[number]
    found = asked(domain._replace(domain=domain.domain.replace(".example", f"{number}.example")), resolver)
    assert excess(found, domain.may) == []
    assert any(one["id"] == "dns.dnssec_bogus" and one["status"] in ("pass", "skipped") for one in found)


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def doors(authority: Authority) -> Iterator[Doors]:
    with Doors(authority) as opened:
        yield opened


def filled(records: Changes, words: Mapping[str, str]) -> Changes:
    """Fill the digests of certificates into TLSA records, and ports into SRV records."""
    return {
        owner: [value.format(**words) for value in values or ()] if owner.endswith(("TLSA", "SRV")) else values
        for owner, values in records.items()
    }


@pytest.mark.parametrize("live", LIVE, ids=lambda live: live.name)
def test_what_is_published_is_held_against_the_servers(live: Live, doors: Doors, authority: Authority) -> None:
    services = [one._replace(certificates=live.certificates) for one in live.services]
    address, opened = doors.open("mx1.firm.example", services)
    words = {kind: str(port + doors.offset) for kind, port in PORTS.items()} | tlsa_words(opened[0].issued)
    base: Changes = {
        **ordinary(), "@ MX": ["10 mx1"], "mx1 A": [address], "mx2 A": None, "@ CAA": None, "_mta-sts TXT": None,
        "mta-sts A": ["127.0.0.1"] if live.policy else None,
    }  # fmt: skip
    records = {**base, **filled(live.records, words)}
    back = f"{'.'.join(reversed(address.split('.')))} PTR mx1.firm.example."
    zones = [
        zone_of("firm.example", lines(records)),
        zone_of("example", "nothing TXT x"),
        zone_of("in-addr.arpa", back),
    ]
    page = authority.issue(Certificate(), "mta-sts.firm.example")
    with (
        contextlib.closing(Validating(zones) if live.is_secure else NameServer(zones)) as server,
        web({POLICY: Page(live.policy)} if live.policy else {}, page.chain) as https_port,
    ):
        options = Options(
            (("127.0.0.1", server.port),),
            2.0,
            20.0,
            ca_file=str(authority.ca_file),
            selectors=("s1",),
            smtp_port=PORTS["smtp"] + doors.offset,
            https_port=https_port,
        )
        result = survey("firm.example", options)
    found = [
        {"id": one.id, "status": one.status, "severity": one.severity, "message": one.message}
        for one in result.findings
    ]
    optional = () if live.policy else (NO_STS,)
    assert excess(found, (*live.may, *optional, NO_CAA, ON_LOOPBACK)) == []
    assert set(live.unknown.split()) <= {one["id"] for one in found if one["status"] == "unknown"}


@pytest.mark.parametrize("name", sorted(ROTATED))
def test_what_a_provider_changes_in_its_own_domain_is_no_change_of_ours(name: str, monitor: Monitor) -> None:
    domain = next(one for one in DOMAINS if one.name == name)
    monitor.config["checks"]["dns"] = {"domains": {"firm.example": {"selectors": ["s1"]}}, "connect": False}
    before, after = ROTATED[name]
    for text in (before, after):
        zones = {**texts(domain), "provider.example": domain.others["provider.example"].replace(before, text)}
        with serving([zone_of(origin, lines) for origin, lines in zones.items()]) as server:
            monitor.config["dns"] = {"nameservers": [f"127.0.0.1:{server.port}"]}
            run = monitor.check("firm.example")
            assert run.step("dns:firm.example")["status"] == "ok", run.stdout


def test_each_label_has_its_reason_and_each_domain_a_name_of_its_own() -> None:
    every = (*DOMAINS, *MORE, *SIGNED, *LIVE)
    assert len({one.name for one in every}) == len(every) >= 60
    assert [may for one in every for may in one.may if not may.why] == []
