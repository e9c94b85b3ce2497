"""DANE: which certificates a TLSA record authenticates, and what of them still counts then (RFC 7671, RFC 7672)."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mailmon.clients.records import Answer, Answered
from mailmon.diagnose.dane import authenticate, judge_chain, why_unusable
from mailmon.diagnose.handshake import Secured
from mailmon.diagnose.plan import Options, Request, kinds_for
from mailmon.diagnose.run import diagnose
from mailmon.domain.options import Options as DomainOptions
from mailmon.domain.survey import survey
from mailmon.findings import Findings
from mailmon.mail.records.tlsa import Tlsa, read_tlsa
from mailmon.model.findings import Finding, Verdict
from tests.diagnose.issuing import Issued, ca_file, issue, private, server_context, signed_with_sha1
from tests.diagnose.mail_server import MailServer, mail_server, pool
from tests.domain.nameserver import SERVFAIL, Faults, serving, zone_of
from tests.domain.web import policy, web

HOST = "mx.mail.test"
Look = Callable[[str], tuple[Finding, ...]]
ROOT = issue("Private Root", is_ca=True, left_days=3000)
MIDDLE = issue("Private Issuing CA", ROOT, is_ca=True, left_days=1000)
LEAF = issue(HOST, MIDDLE)
SELF = issue(HOST)
OTHER = issue("Another Root", is_ca=True)
RSA_ROOT = issue("RSA Root", is_ca=True, key=rsa.generate_private_key(65537, 2048))
RSA_LEAF = issue(HOST, RSA_ROOT)
NO_CA = issue("No CA")
BY_NO_CA = issue(HOST, NO_CA)
CHAIN = (LEAF, MIDDLE, ROOT)


def record(usage: int, selector: int, matching: int, of: Issued) -> str:
    """Return a TLSA record of a certificate."""
    data = of.public if selector else of.der
    digests = {0: data, 1: hashlib.sha256(data).digest(), 2: hashlib.sha512(data).digest()}
    return f"{usage} {selector} {matching} {digests[matching].hex()}"


def usable(*texts: str) -> list[Tlsa]:
    read = [read_tlsa(text) for text in texts]
    return [one for one in read if one and not one.why_unusable]


@pytest.mark.parametrize("matching", [0, 1, 2])
@pytest.mark.parametrize("selector", [0, 1])
@pytest.mark.parametrize(
    ("usage", "of", "chain", "is_authentic"),
    [
        (3, LEAF, CHAIN, True),
        (3, SELF, (SELF,), True),
        (3, MIDDLE, CHAIN, False),
        (3, SELF, CHAIN, False),
        (2, MIDDLE, CHAIN, True),
        (2, ROOT, CHAIN, True),
        (2, ROOT, (LEAF, ROOT, MIDDLE), True),  # in any order
        (2, OTHER, (*CHAIN, OTHER), False),  # sent, but it has signed nothing here
        (2, LEAF, CHAIN, False),  # the leaf is no CA
        (2, RSA_ROOT, (RSA_LEAF, RSA_ROOT), True),
        (0, ROOT, CHAIN, False),
        (1, LEAF, CHAIN, False),
        (4, LEAF, CHAIN, False),
    ],
)
def test_a_record_authenticates_by_usage_and_signatures(
    usage: int, of: Issued, chain: tuple[Issued, ...], is_authentic: bool, selector: int, matching: int
) -> None:
    match = authenticate(usable(record(usage, selector, matching, of)), [one.der for one in chain])
    assert (match is not None) is is_authentic
    assert match is None or match.is_pin is (usage == 3)


@pytest.mark.parametrize(
    ("of", "chain", "selector", "matching", "is_authentic"),
    [
        (MIDDLE, (LEAF,), 0, 0, True),  # the whole certificate stands in DNS, and need not be sent
        (MIDDLE, (LEAF,), 1, 0, True),  # and so does its key
        (ROOT, (LEAF, MIDDLE), 0, 0, True),
        (ROOT, (LEAF, MIDDLE), 1, 0, True),
        (RSA_ROOT, (RSA_LEAF,), 1, 0, True),
        (ROOT, (LEAF,), 1, 0, False),
        (ROOT, (LEAF, MIDDLE), 1, 1, False),  # of a digest the certificate must be sent
        (ROOT, (LEAF, MIDDLE), 0, 2, False),
        # As OpenSSL has it: what is no CA is no trust anchor, but a bare key is one wherever it has signed.
        (SELF, (SELF,), 0, 0, False),
        (SELF, (SELF,), 1, 1, False),
        (SELF, (SELF,), 1, 0, True),
        (NO_CA, (BY_NO_CA, NO_CA), 0, 1, False),
        (NO_CA, (BY_NO_CA, NO_CA), 1, 2, False),
        (NO_CA, (BY_NO_CA, NO_CA), 1, 0, True),
    ],
)
def test_a_ca_that_is_not_sent_counts_only_as_a_whole(
    of: Issued, chain: tuple[Issued, ...], selector: int, matching: int, is_authentic: bool
) -> None:
    match = authenticate(usable(record(2, selector, matching, of)), [one.der for one in chain])
    assert (match is not None) is is_authentic


@pytest.mark.parametrize(
    ("texts", "chain"),
    [
        ((record(3, 1, 1, SELF),), (SELF,)),
        ((record(2, 1, 1, SELF),), (SELF,)),
        ((record(2, 0, 0, SELF),), (SELF,)),
        ((record(2, 1, 0, SELF),), (SELF,)),
        ((record(2, 0, 1, ROOT),), CHAIN),
        ((record(2, 0, 2, MIDDLE),), (LEAF, MIDDLE)),
        ((record(2, 1, 1, ROOT),), (LEAF, MIDDLE)),
        ((record(2, 0, 0, ROOT),), (LEAF, MIDDLE)),
        ((record(2, 1, 0, ROOT),), (LEAF, MIDDLE)),
        ((record(2, 1, 1, OTHER),), (*CHAIN, OTHER)),
        ((record(2, 1, 1, NO_CA),), (BY_NO_CA, NO_CA)),
        ((record(3, 1, 1, OTHER), record(2, 1, 1, MIDDLE)), (LEAF, MIDDLE)),
    ],
)
def test_openssl_authenticates_the_same_servers(
    texts: tuple[str, ...], chain: tuple[Issued, ...], tmp_path: Path
) -> None:
    command = ["openssl", "s_client", "-dane_tlsa_domain", HOST]
    for text in texts:
        command += ["-dane_tlsa_rrdata", text]
    with mail_server(server_context(tmp_path, chain), is_implicit=True) as server:
        command += ["-connect", f"127.0.0.1:{server.port}"]
        done = subprocess.run(command, input="QUIT\r\n", capture_output=True, text=True, timeout=10, check=False)
    is_good = "Verification: OK" in done.stdout and "DANE TLSA" in done.stdout
    assert (authenticate(usable(*texts), [one.der for one in chain]) is not None) is is_good, done.stdout[-800:]


def test_during_a_rollover_one_record_that_fits_suffices() -> None:
    records = usable(record(3, 1, 1, SELF), "3 1 1 " + "ab" * 32, record(3, 1, 1, LEAF), record(2, 1, 1, OTHER))
    match = authenticate(records, [one.der for one in CHAIN])
    assert match is not None
    assert match.record == usable(record(3, 1, 1, LEAF))[0]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("3 1 5 " + "ab" * 32, "matching type 5"),
        ("3 1 255 " + "ab" * 32, "matching type 255"),
        ("3 2 1 " + "ab" * 32, "selector 2"),
        ("1 1 1 " + "ab" * 32, "usage 1 does not count"),
        ("0 0 1 " + "ab" * 32, "usage 0 does not count"),
        ("255 1 1 " + "ab" * 32, "usage 255"),
        ("3 1 1 " + "ab" * 20, "20 bytes are no digest"),
        ("3 1 2 " + "ab" * 32, "32 bytes are no digest"),
        ("3 1 0", "no data"),
        ("3 1 1 xyz", "cannot be read"),
        ("three one one", "cannot be read"),
    ],
)
def test_a_record_that_no_sender_uses_says_why(text: str, why: str) -> None:
    assert why in why_unusable(Answer(Answered.FOUND, (text,)))
    assert usable(text) == []


@pytest.mark.parametrize(
    ("texts", "chain", "words"),
    [
        ((record(2, 1, 1, SELF),), (SELF,), "which needs usage 3"),
        ((record(2, 1, 1, OTHER),), (*CHAIN, OTHER), "but did not issue the server's"),
        ((record(2, 1, 1, ROOT),), (LEAF, MIDDLE), "names a CA's certificate that must be sent too, but is not"),
        ((record(3, 1, 1, MIDDLE),), CHAIN, "names the certificate of a CA, which needs usage 2"),
        ((record(3, 1, 1, SELF),), CHAIN, "no TLSA record of port 25 matches the certificate: senders"),
        ((record(3, 1, 1, LEAF), record(3, 1, 2, SELF)), CHAIN, "senders may look only at the stronger one"),
    ],
)
def test_a_mismatch_says_what_came_close(texts: tuple[str, ...], chain: tuple[Issued, ...], words: str) -> None:
    found = Findings(HOST)
    path = (LEAF.der, MIDDLE.der, ROOT.der)
    secured = Secured("TLSv1.3", "x", tuple(one.der for one in chain), path=path)
    judge_chain(found, Answer(Answered.FOUND, texts, "", True), 25, secured)
    assert found.all[0].status is Verdict.FAIL
    assert words in found.all[0].message


EXPIRED = issue(HOST, MIDDLE, age_days=100, left_days=-10)
MISNAMED = issue("elsewhere.test", MIDDLE)
OF_DOMAIN = issue("mail.test", MIDDLE)
FUTURE = issue(HOST, MIDDLE, age_days=-2, left_days=60)
OLD_MIDDLE = issue("Old CA", ROOT, is_ca=True, age_days=900, left_days=-1)
BY_OLD = issue(HOST, OLD_MIDDLE)
SHA1_SELF = signed_with_sha1(issue(HOST))
EE, TA = "3 1 1", "2 1 1"

# Name of the case: chain, TLSA records, mode of MTA-STS; the failures of tls.* and dane.* that there may be.
CASES: dict[str, tuple[tuple[Issued, ...], tuple[str, ...], str, set[str]]] = {
    "self-signed and pinned": ((SELF,), (record(3, 1, 1, SELF),), "", set()),
    "SHA-1, self-signed and pinned": ((SHA1_SELF,), (record(3, 0, 1, SHA1_SELF),), "", set()),
    "expired and pinned": ((EXPIRED, MIDDLE), (record(3, 1, 1, EXPIRED),), "", set()),
    "not yet valid and pinned": ((FUTURE, MIDDLE), (record(3, 1, 2, FUTURE),), "", set()),
    "misnamed and pinned": ((MISNAMED, MIDDLE), (record(3, 0, 2, MISNAMED),), "", set()),
    "pinned during a rollover": ((SELF,), (record(3, 1, 1, LEAF), record(3, 1, 1, SELF)), "", set()),
    "pinned, policy in testing": ((SELF,), (record(3, 1, 1, SELF),), "testing", set()),
    "pinned, policy enforced": (
        (SELF,),
        (record(3, 1, 1, SELF),),
        "enforce",
        {"critical tls.cert_self_signed"},
    ),
    "misnamed and pinned, policy enforced": (
        (MISNAMED, MIDDLE),
        (record(3, 1, 1, MISNAMED),),
        "enforce",
        {"critical tls.cert_name", "critical tls.cert_untrusted"},
    ),
    "private CA": (CHAIN, (record(2, 1, 1, ROOT),), "", set()),
    "private issuing CA": ((LEAF, MIDDLE), (record(2, 0, 1, MIDDLE),), "", set()),
    "private CA that stands in DNS as a whole": ((LEAF, MIDDLE), (record(2, 0, 0, ROOT),), "", set()),
    "private CA, for the domain": ((OF_DOMAIN, MIDDLE), (record(2, 1, 1, MIDDLE),), "", set()),
    "private CA, misnamed": ((MISNAMED, MIDDLE), (record(2, 1, 1, MIDDLE),), "", {"critical tls.cert_name"}),
    "private CA, expired": ((EXPIRED, MIDDLE), (record(2, 1, 1, MIDDLE),), "", {"critical tls.cert_expired"}),
    "private CA, expired above": (
        (BY_OLD, OLD_MIDDLE, ROOT),
        (record(2, 1, 1, ROOT),),
        "",
        {"critical tls.cert_expired"},
    ),
    "another private CA": (
        CHAIN,
        (record(2, 1, 1, OTHER),),
        "",
        {"critical dane.tlsa_mismatch", "critical tls.cert_untrusted"},
    ),
    "another key": (
        (SELF,),
        (record(3, 1, 1, LEAF),),
        "",
        {"critical dane.tlsa_mismatch", "critical tls.cert_self_signed"},
    ),
    "usage 1": ((SELF,), (record(1, 1, 1, SELF),), "", {"warning dane.tlsa_unusable", "warning tls.cert_self_signed"}),
    "usage 0": (
        CHAIN,
        (record(0, 1, 1, ROOT),),
        "",
        {"warning dane.tlsa_unusable", "warning tls.cert_untrusted"},
    ),
    "matching type 5": (
        (SELF,),
        (f"3 1 5 {'ab' * 32}",),
        "",
        {"warning dane.tlsa_unusable", "warning tls.cert_self_signed"},
    ),
    "usage 1 beside a pin": ((SELF,), (record(1, 1, 1, LEAF), record(3, 1, 1, SELF)), "", set()),
    "no policy": ((MISNAMED, MIDDLE), (), "", {"warning tls.cert_name", "warning tls.cert_untrusted"}),
    "policy in testing": (
        (MISNAMED, MIDDLE),
        (),
        "testing",
        {"warning tls.cert_name", "warning tls.cert_untrusted"},
    ),
    "policy none": ((MISNAMED, MIDDLE), (), "none", {"warning tls.cert_name", "warning tls.cert_untrusted"}),
    "policy that cannot be fetched": (
        (MISNAMED, MIDDLE),
        (),
        "404",
        {"warning tls.cert_name", "warning tls.cert_untrusted"},
    ),
    "policy enforced": (
        (MISNAMED, MIDDLE),
        (),
        "enforce",
        {"critical tls.cert_name", "critical tls.cert_untrusted"},
    ),
}


def zone(port: int, texts: tuple[str, ...], mode: str) -> str:
    lines = ["@ MX 10 mx", "mx A 127.0.0.1", "mta-sts A 127.0.0.1", '@ TXT "v=spf1 mx -all"']
    lines += [f"_{number}._tcp.mx TLSA {text}" for text in texts for number in {25, port}]
    lines += ['_mta-sts TXT "v=STSv1; id=1"'] if mode else []
    return "\n".join(lines)


def bad(findings: tuple[Finding, ...]) -> set[str]:
    """Return severity and id of each failure of TLS and DANE."""
    return {
        f"{one.severity} {one.id}"
        for one in findings
        if one.status is Verdict.FAIL and one.id.startswith(("tls.cert", "dane."))
    }


@contextmanager
def domain(
    folder: Path,
    server: MailServer,
    texts: tuple[str, ...],
    mode: str,
    *,
    is_secure: bool = True,
    faults: Faults | None = None,
) -> Iterator[Look]:
    """Publish what is asked for; yield how a command looks at it. A `mode` of 404 is a policy that is not there."""
    web_ca = issue("Web CA", is_ca=True)
    web_leaf = issue("mta-sts.mail.test", web_ca)
    site = folder / "site.crt"
    site.write_bytes(web_leaf.pem)
    site.with_suffix(".key").write_bytes(private(web_leaf.key))
    trusted = ca_file(folder, web_ca)
    pages = {"/.well-known/mta-sts.txt": policy(mode)} if mode != "404" else {}
    zones = [zone_of("mail.test", zone(server.port, texts, mode))]
    with web(pages, site) as https_port, serving(zones, faults, validates=is_secure) as names:
        nameservers = (("127.0.0.1", names.port),)

        def look(command: str) -> tuple[Finding, ...]:
            if command == "dns":
                how = DomainOptions(nameservers, 2.0, 10.0, ca_file=trusted, https_port=https_port)
                return survey("mail.test", how._replace(smtp_port=server.port)).findings
            kinds = tuple(kinds_for((str(server.port),), "smtp" if command == "diagnose" else command))
            request = Request("mail.test", kinds, True, nameservers)
            return diagnose(request, Options(trusted, 2.0, relay="none", https_port=https_port)).findings

        yield look


def said_in(findings: tuple[Finding, ...]) -> str:
    return "\n".join(f"{one.status} {one.severity} {one.id}: {one.message}" for one in findings)


@pytest.mark.parametrize("command", ["diagnose", "dns"])
@pytest.mark.parametrize("name", CASES)
def test_what_dane_and_the_policy_ask_for_decides_how_bad_a_certificate_is(
    name: str, command: str, tmp_path: Path
) -> None:
    chain, texts, mode, expected = CASES[name]
    with mail_server(server_context(tmp_path, chain)) as server, domain(tmp_path, server, texts, mode) as look:
        result = look(command)
    if command == "dns" and not mode and not texts:
        expected = set()  # nothing says there that the certificate counts at all
    assert bad(result) == expected, said_in(result)
    if texts and "pinned" in name and mode != "enforce":
        assert "DANE pins it (TLSA 3 " in said_in(result)


@pytest.mark.parametrize("command", ["diagnose", "dns"])
@pytest.mark.parametrize(
    ("texts", "mode", "severity"),
    [
        ((), "", "warning"),
        ((), "testing", "warning"),
        ((), "enforce", "critical"),
        ((record(3, 1, 1, LEAF),), "", "critical"),
        ((record(1, 1, 1, LEAF),), "", "critical"),  # unusable, and TLS is mandatory all the same
        ((record(1, 1, 1, LEAF),), "none", "critical"),
    ],
)
def test_a_missing_starttls_is_critical_where_tls_is_mandatory(
    texts: tuple[str, ...], mode: str, severity: str, command: str, tmp_path: Path
) -> None:
    context = server_context(tmp_path, CHAIN)
    with mail_server(context, starttls="missing") as server, domain(tmp_path, server, texts, mode) as look:
        result = look(command)
    found = [str(one.severity) for one in result if one.id == "smtp.starttls_missing"]
    assert found == ([severity] if command == "diagnose" or texts or mode else []), said_in(result)


def test_a_starttls_that_is_refused_is_critical_where_tls_is_mandatory(tmp_path: Path) -> None:
    context = server_context(tmp_path, CHAIN)
    with mail_server(context, starttls="refused") as server, domain(tmp_path, server, (), "enforce") as look:
        (found,) = [one for one in look("diagnose") if one.id == "smtp.starttls_refused"]
    assert found.severity == "critical"
    assert found.message.endswith("many senders hold mail back, because MTA-STS or DANE demands TLS")


@pytest.mark.parametrize("mode", ["", "enforce"])
def test_on_a_port_for_logins_the_certificate_counts_whatever_dane_says(mode: str, tmp_path: Path) -> None:
    server = mail_server(server_context(tmp_path, (SELF,)))
    with server as running, domain(tmp_path, running, (record(3, 1, 1, SELF),), mode) as look:
        assert bad(look("submission")) == {"error tls.cert_self_signed"}


@pytest.mark.parametrize(("of", "more"), [(SELF, set()), (LEAF, {"error dane.tlsa_mismatch"})])
@pytest.mark.parametrize("command", ["diagnose", "dns"])
def test_a_record_that_dnssec_does_not_validate_neither_spares_nor_demands(
    command: str, of: Issued, more: set[str], tmp_path: Path
) -> None:
    server = mail_server(server_context(tmp_path, (SELF,)))
    with server as running, domain(tmp_path, running, (record(3, 1, 1, of),), "", is_secure=False) as look:
        expected = (
            {"notice dane.tlsa_without_dnssec"}
            | more
            | ({"warning tls.cert_self_signed"} if command == "diagnose" else set())
        )
        assert bad(look(command)) == expected


def test_a_tlsa_record_that_cannot_be_looked_up_is_said_for_who_uses_dane_waits(tmp_path: Path) -> None:
    server = mail_server(server_context(tmp_path, CHAIN))
    with server as running:
        name = f"_{running.port}._tcp.mx.mail.test TLSA"
        with domain(tmp_path, running, (), "", faults={name: SERVFAIL}) as look:
            found = [one for one in look("diagnose") if one.id == "dane.tlsa_mismatch"]
    assert [one.status for one in found] == [Verdict.UNKNOWN]
    assert "senders that use DANE wait" in found[0].message


def test_of_a_pool_the_address_whose_certificate_no_record_fits_is_named(tmp_path: Path) -> None:
    with pool(tmp_path, (LEAF, MIDDLE), (SELF,)) as servers:
        port = servers[0].port
        lines = f"@ MX 10 mx\nmx A 127.0.0.1\nmx A 127.0.0.2\n_{port}._tcp.mx TLSA {record(2, 1, 1, MIDDLE)}"
        with serving([zone_of("mail.test", lines)], validates=True) as names:
            request = Request("mail.test", tuple(kinds_for((str(port),), "smtp")), False, (("127.0.0.1", names.port),))
            result = diagnose(request, Options(None, 2.0, relay="none"))
    fits = {one.target: one.status for one in result.findings if one.id == "dane.tlsa_mismatch"}
    assert fits == {f"{HOST}:{port} (127.0.0.1)": Verdict.PASS, f"{HOST}:{port} (127.0.0.2)": Verdict.FAIL}
