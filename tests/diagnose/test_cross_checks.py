"""Findings across ports, and against certificates announced in DNS."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from mailmon.clients.deadline import Deadline
from mailmon.clients.records import Answer, Answered, Records
from mailmon.clients.resolver import HOSTS_FILE
from mailmon.diagnose import cross_checks, targets
from mailmon.diagnose.connection import Dialer
from mailmon.diagnose.conversation import NO_IPV6
from mailmon.diagnose.dane import fits, why_unusable
from mailmon.diagnose.handshake import Secured, TlsKit
from mailmon.diagnose.mx_hosts import judge_mx_hosts
from mailmon.diagnose.plan import Options, Request, kinds_for
from mailmon.diagnose.session import Session, SessionContext
from mailmon.mail.records.tlsa import read_tlsa
from mailmon.model.diagnosis import Endpoint, TlsFacts
from tests.diagnose.test_certificate import certificate
from tests.diagnose.test_names import Zone, found
from tests.domain.nameserver import serving, zone_of

LEAF, ISSUER = certificate(), certificate(("ca.example",))
KEY = x509.load_der_x509_certificate(LEAF).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize(
    ("record", "does_fit"),
    [
        (f"3 1 1 {sha256(KEY)}", True),
        (f"3 1 1 {sha256(KEY)[:32]} {sha256(KEY)[32:].upper()}", True),
        (f"3 0 1 {sha256(LEAF)}", True),
        (f"3 1 2 {hashlib.sha512(KEY).hexdigest()}", True),
        (f"3 0 0 {LEAF.hex()}", True),
        (f"2 0 1 {sha256(ISSUER)}", True),
        (f"3 0 1 {sha256(ISSUER)}", False),  # usage 3 is the leaf's
        (f"3 1 1 {sha256(b'another key')}", False),
        (f"3 1 9 {sha256(KEY)}", False),
    ],
    # the key is made anew in every process: named here, or the ids would differ between workers
    ids=["key", "split", "leaf", "sha512", "whole", "issuer", "usage", "other key", "unknown type"],
)
def test_a_tlsa_record_fits_by_usage_selector_and_matching_type(record: str, does_fit: bool) -> None:
    parsed = read_tlsa(record)
    assert parsed is not None
    assert (not parsed.why_unusable and fits(parsed, (LEAF, ISSUER))) is does_fit


def session(
    address: str = "192.0.2.1",
    port: int = 25,
    *,
    is_open: bool = True,
    digest: str = "",
    problem: str = "connection refused",
) -> Session:
    endpoint = Endpoint("mx.example", address, port, "smtp" if port == 25 else "imap", is_one_of_many=True)
    made = Session(Dialer(endpoint, Options(), Deadline(1)), SessionContext(TlsKit(None), cast(Records, Zone({}))))
    made.is_open = is_open
    if not is_open:
        made.found.fail("tcp.unreachable", problem)
    if digest:
        made.service.tls = TlsFacts("TLSv1.3", "x", sha256=digest, not_after="2027-01-01T00:00:00Z")
        made.secured = Secured("TLSv1.3", "x", (LEAF,))
    return made


def together(*sessions: Session, records: dict[str, Answer] | None = None, is_whole: bool = True) -> dict[str, str]:
    kept = [one for made in sessions for one in made.found.all]
    zone = cast(Records, Zone(records or {}))
    return {one.id: one.status.value for one in cross_checks.compare(kept, sessions, zone, is_whole_host=is_whole)}


def test_ports_with_the_same_certificate_are_well_and_others_are_not() -> None:
    one, other = session(digest="aa"), session(port=993, digest="aa")
    assert together(one, other) == {"tls.cert_differs_between_ports": "pass"}
    assert together(one, session(port=993, digest="bb")) == {"tls.cert_differs_between_ports": "fail"}
    assert together(one) == {}


@pytest.mark.parametrize(
    ("shown", "words"),
    [
        (("1:25 a", "1:993 b"), "its ports show 2 different certificates: 25 "),
        (("1:25 a", "2:25 b"), "its addresses show 2 different certificates: 192.0.2.1 "),
        (("1:25 a", "2:25 a", "1:993 b", "2:993 b"), "its ports show 2 different certificates: 25 "),
        (("1:25 a", "1:993 a", "2:25 b", "2:993 b"), "its addresses show 2 different certificates: 192.0.2.1 "),
        (("1:25 a", "2:25 a", "1:993 a", "2:993 b"), "its services show 2 different certificates: 192.0.2.1:25, "),
        (("1:25 a", "2:25 b", "3:25 c"), "its addresses show 3 different certificates: 192.0.2.1 "),
    ],
)
def test_where_certificates_differ_is_told(shown: tuple[str, ...], words: str) -> None:
    sessions = []
    for one in shown:
        place, digest = one.split()
        number, port = place.split(":")
        sessions.append(session(f"192.0.2.{number}", int(port), digest=digest))
    found = cross_checks.compare([], sessions, cast(Records, Zone({})), is_whole_host=True)
    assert [words in one.message for one in found if one.id == "tls.cert_differs_between_ports"] == [True]


def test_a_host_of_which_no_port_is_open_is_not_reached() -> None:
    assert together(session(is_open=False), session(port=993, is_open=False)) == {"tcp.unreachable": "fail"}
    silent = session(is_open=False, problem="no answer")
    assert together(silent) == {"tcp.unreachable": "unknown"}
    assert together(session("2606:4700::1", is_open=False, problem=NO_IPV6)) == {"tcp.unreachable": "unknown"}


def test_what_is_closed_on_ipv6_only_is_no_outage() -> None:
    four, six = session(), session("::1", is_open=False)
    assert together(four, six, is_whole=False) == {"tcp.ipv6_unreachable": "fail"}
    assert together(session("::1"), session(is_open=False), is_whole=False) == {"tcp.unreachable": "fail"}


def exchange(*states: str, port: int = 25, is_nolisting: bool = False) -> dict[str, str]:
    """Judge the MX hosts mx1, mx2, ... of a domain: open, refused, silent, or 554 (open, and refuses us)."""
    made = []
    for number, state in enumerate(states, 1):
        endpoint = Endpoint(f"mx{number}.example", f"192.0.2.{number}", port, "smtp")
        one = Session(Dialer(endpoint, Options(), Deadline(1)), SessionContext(TlsKit(None), cast(Records, Zone({}))))
        one.is_open, one.is_refused = state in ("open", "554"), state == "refused"
        if not one.is_open:
            one.found.fail("tcp.unreachable", state)
        if state == "554":
            one.found.fail("smtp.greeting_rejected", "554 no")
        made.append(one)
    kept = [finding for one in made for finding in one.found.all]
    judged = judge_mx_hosts(kept, made, "firm.example", is_nolisting=is_nolisting)
    return {one.target.partition(".")[0]: str(one.severity) for one in judged if one.id == "tcp.unreachable"}


def test_an_mx_host_that_refuses_is_no_outage_where_another_takes_mail() -> None:
    assert exchange("refused", "open") == {"mx1": "warning"}
    assert exchange("open", "refused") == {"mx2": "warning"}
    assert exchange("refused", "open", is_nolisting=True) == {"mx1": "notice"}
    assert exchange("open", "refused", is_nolisting=True) == {"mx2": "warning"}
    assert exchange("refused", "refused") == {"mx1": "error", "mx2": "error"}
    assert exchange("refused", "554") == {"mx1": "error"}
    assert exchange("silent", "open") == {"mx1": "error"}  # as it was: silence is no refusal
    assert exchange("refused", "open", port=2525) == {"mx1": "warning"}


@pytest.mark.parametrize(
    ("record", "is_authentic", "expected"),
    [
        (f"3 1 1 {sha256(KEY)}", True, {"dane.tlsa_mismatch": "pass"}),
        (f"3 1 1 {sha256(b'x')}", True, {"dane.tlsa_mismatch": "fail"}),
        (f"3 1 1 {sha256(KEY)}", False, {"dane.tlsa_mismatch": "pass", "dane.tlsa_without_dnssec": "fail"}),
        (f"1 1 1 {sha256(b'x')}", True, {"dane.tlsa_unusable": "fail"}),  # RFC 7672 section 3.1.3
        (f"3 1 5 {sha256(KEY)}", True, {"dane.tlsa_unusable": "fail"}),
        (f"3 1 2 {sha256(KEY)}", True, {"dane.tlsa_unusable": "fail"}),  # 32 bytes are no SHA-512
    ],
    ids=["fits", "mismatch", "without dnssec", "usage 1", "type 5", "short digest"],
)
def test_tlsa_records_are_held_against_the_live_certificate(
    record: str, is_authentic: bool, expected: dict[str, str]
) -> None:
    records = {"_25._tcp.mx.example": Answer(Answered.FOUND, (record,), "", is_authentic)}
    assert together(session(digest="aa"), records=records) == expected


def plan(
    records: dict[str, Answer],
    host: str = "example.org",
    *,
    family: str = "auto",
    port: str = "",
    hosts_file: Path = HOSTS_FILE,
) -> targets.Targets:
    request = Request(host, tuple(kinds_for((port,) if port else (), None)), is_whole_host=not port)
    return targets.find(request, cast(Records, KindZone(records)), Options(family=family), hosts_file)


class KindZone(Zone):
    """Records by name and type."""

    def ask(self, name: str, kind: str) -> Answer:
        return self.records.get(f"{name} {kind}", Answer(Answered.NODATA, why="none"))

    def addresses(self, host: str) -> tuple[tuple[str, ...], Answer | None]:
        both = [self.ask(host, kind) for kind in ("A", "AAAA")]
        return tuple(value for one in both for value in one.values), both[0]


def test_a_domain_stands_for_its_mail_hosts_the_preferred_first() -> None:
    records = {
        "example.org MX": found("20 b.example", "10 a.example"),
        "example.org A": found("8.8.8.8"),
        "a.example A": found("1.1.1.1"),
        "a.example AAAA": found("2606:4700::1"),
        "b.example A": found("192.0.2.1"),
    }
    made = plan(records)
    assert made.domain == "example.org"
    assert list(dict.fromkeys(one.host for one in made.endpoints)) == ["a.example", "b.example"]
    assert made.addresses == ("1.1.1.1", "2606:4700::1", "192.0.2.1")
    assert {one.id: one.status.value for one in made.findings} == {
        "dns.mx_none": "pass",
        "dns.mx_private": "fail",
        "dns.mx_ipv6_only": "pass",
    }
    assert {one.address for one in plan(records, family="6").endpoints} == {"2606:4700::1"}


def test_with_a_port_the_host_itself_is_examined_and_a_note_names_its_mx() -> None:
    records = {
        "example.org MX": found("10 a.example"),
        "example.org A": found("8.8.8.8"),
        "a.example A": found("1.1.1.1"),
    }
    made = plan(records, port="25")
    assert {one.host for one in made.endpoints} == {"example.org"}
    assert "its mail goes to a.example (MX)" in made.notes[0]
    assert plan(records, "a.example", port="25").notes == plan(records).notes == ()


def test_with_a_port_a_domain_without_an_address_stands_for_its_mail_hosts() -> None:
    made = plan({"example.org MX": found("10 a.example"), "a.example A": found("1.1.1.1")}, port="25")
    assert ({one.host for one in made.endpoints}, {one.port for one in made.endpoints}) == ({"a.example"}, {25})
    assert made.notes == ()


def test_the_web_server_of_a_domain_that_takes_no_mail_is_not_looked_at() -> None:
    records = {"example.org MX": found("0 ."), "example.org A": found("1.1.1.1")}
    made = plan(records)
    assert (made.domain, made.endpoints) == ("", ())
    assert [(one.id, one.status.value) for one in made.findings] == [("dns.mx_none", "pass")]
    assert {one.host for one in plan(records, port="25").endpoints} == {"example.org"}


@pytest.mark.parametrize("why", ["SERVFAIL", "no answer within 5 s"])
def test_nor_is_that_of_a_domain_whose_mx_records_cannot_be_looked_up(why: str) -> None:
    records = {"example.org MX": Answer(Answered.FAILED, why=why), "example.org A": found("1.1.1.1")}
    made = plan(records)
    assert made.endpoints == ()
    assert {one.id: one.status.value for one in made.findings} == {
        "dns.resolver_error": "unknown",
        "dns.mx_none": "unknown",
    }
    assert all(why in one.message for one in made.findings)
    assert {one.host for one in plan(records, port="25").endpoints} == {"example.org"}


def test_what_the_hosts_file_of_this_machine_says_is_not_what_dns_says(tmp_path: Path) -> None:
    records = {
        "localhost MX": found("10 mx.example"),
        "mx.example A": found("1.1.1.1"),
        "localhost A": found("8.8.8.8"),
    }
    assert plan(records, "localhost").addresses[0] == "127.0.0.1"  # RFC 6761: never asked in DNS
    file = tmp_path / "hosts"
    file.write_text("127.0.1.1 mx.firm.example mx\n10.1.2.3 inside.firm.example\n")
    mine = {"firm.example MX": found("10 mx.firm.example"), "mx.firm.example A": found("5.9.7.25")}
    assert plan(mine, "firm.example", hosts_file=file).addresses == ("5.9.7.25",)
    assert plan(mine, "mx.firm.example", hosts_file=file).addresses == ("5.9.7.25",)
    assert plan(mine, "inside.firm.example", hosts_file=file).addresses == ("10.1.2.3",)
    del mine["mx.firm.example A"]
    made = plan(mine, "firm.example", hosts_file=file)
    assert (made.addresses, [one.id for one in made.findings if one.severity]) == ((), ["dns.mx_dangling"])


def test_mail_hosts_with_ipv6_only_are_told() -> None:
    def told(**records: Answer) -> list[str]:
        mine = {"firm.example MX": found("10 a.example", "20 b.example")}
        mine |= {key.replace("_", ".example "): answer for key, answer in records.items()}
        judged = plan(mine, "firm.example").findings
        return [one.status.value for one in judged if one.id == "dns.mx_ipv6_only"]

    six = found("2606:4700::1")
    assert told(a_AAAA=six, b_AAAA=six) == ["fail"]
    assert told(a_AAAA=six) == ["fail"]  # the other has no address at all
    assert told(a_AAAA=six, b_A=found("1.1.1.1")) == ["pass"]
    assert told(a_AAAA=six, a_A=found("1.1.1.1"), b_AAAA=six) == ["pass"]
    assert told(a_AAAA=six, b_A=Answer(Answered.FAILED, why="SERVFAIL")) == []


def test_what_dns_cannot_tell_is_not_missing() -> None:
    failed = Answer(Answered.FAILED, why="SERVFAIL")
    made = plan({"example.org A": failed})
    assert [(one.id, one.status.value) for one in made.findings] == [("dns.resolver_error", "unknown")]
    made = plan({})
    assert [(one.id, one.status.value) for one in made.findings] == [("dns.host_not_found", "fail")]


@pytest.mark.parametrize(
    ("record", "why"),
    [
        ("3 1 1 aabb", "2 bytes are no digest of matching type 1"),
        (f"3 1 2 {sha256(b'x')}", "32 bytes are no digest of matching type 2"),
        (f"2 0 1 {sha256(b'x')}00", "33 bytes are no digest of matching type 1"),
    ],
)
def test_a_tlsa_record_with_a_digest_of_the_wrong_length_is_not_a_missing_reply(record: str, why: str) -> None:
    with serving([zone_of("firm.example", f"_25._tcp.mx1 TLSA {record}")]) as server:
        answer = Records((("127.0.0.1", server.port),), 2.0).ask("_25._tcp.mx1.firm.example", "TLSA")
    assert answer.kind is Answered.FOUND
    assert together(session(digest="aa"), records={"_25._tcp.mx.example": answer}) == {"dane.tlsa_unusable": "fail"}
    assert why_unusable(answer) == why
