"""Chains as servers send them: cross-signed, expired in a part that nobody needs, doubled, of a private CA."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from mailmon.diagnose.plan import Options, Request, kinds_for
from mailmon.diagnose.run import diagnose
from mailmon.model.diagnosis import Diagnosis
from mailmon.model.findings import Finding, Verdict
from tests.diagnose.issuing import Issued, ca_file, issue, server_context, signed_with_sha1
from tests.diagnose.mail_server import MailServer, mail_server, pool
from tests.domain.nameserver import serving, zone_of

HOST = "mx.mail.test"
ROOT = issue("New Root", is_ca=True, left_days=3000)
MIDDLE = issue("Issuing CA", ROOT, is_ca=True, left_days=1000)
LEAF = issue(HOST, MIDDLE)
OLD_ROOT = issue("Old Root", is_ca=True, age_days=5000, left_days=-30)
# The new root as the old one vouches for it: by SHA-1, or until it expired.
SHA1_CROSS = signed_with_sha1(issue("New Root", is_ca=True, key=ROOT.key), OLD_ROOT)
EXPIRED_CROSS = issue("New Root", OLD_ROOT, is_ca=True, key=ROOT.key, age_days=2000, left_days=-30)
EXPIRED_MIDDLE = issue("Issuing CA", ROOT, is_ca=True, key=MIDDLE.key, age_days=900, left_days=-1)
FUTURE_MIDDLE = issue("Issuing CA", ROOT, is_ca=True, key=MIDDLE.key, age_days=-2, left_days=900)
SHA1_MIDDLE = signed_with_sha1(issue("Weak CA", is_ca=True), ROOT)
BY_WEAK = issue(HOST, SHA1_MIDDLE)
SELF = issue(HOST)
RSA_LEAF = issue(HOST, MIDDLE, key=rsa.generate_private_key(65537, 2048))
EXPIRED = issue(HOST, MIDDLE, age_days=100, left_days=-10)
EXPIRING = issue(HOST, MIDDLE, age_days=85, left_days=5)


def look(
    folder: Path,
    *servers: MailServer,
    trusted: tuple[Issued, ...] = (ROOT,),
    addresses: tuple[str, ...] = ("127.0.0.1",),
) -> Diagnosis:
    ports = tuple(f"{one.port}:{'smtps' if one.is_implicit else 'smtp'}" for one in servers)
    lines = "\n".join(f"mx A {address}" for address in addresses)
    with serving([zone_of("mail.test", lines)]) as names:
        request = Request(
            HOST, tuple(kinds_for(tuple(dict.fromkeys(ports)), None)), False, (("127.0.0.1", names.port),)
        )
        return diagnose(request, Options(ca_file(folder, *trusted), 2.0, 10.0, relay="none", pause_s=0.05))


def of_certificates(result: Diagnosis, *statuses: Verdict) -> set[str]:
    wanted = statuses or (Verdict.FAIL,)
    return {one.id for one in result.findings if one.id.startswith("tls.cert_") and one.status in wanted}


def one_of(result: Diagnosis, finding_id: str) -> Finding:
    (found,) = [one for one in result.findings if one.id == finding_id]
    return found


@pytest.mark.parametrize(
    ("chain", "trusted", "failed"),
    [
        ((LEAF, MIDDLE, SHA1_CROSS), (ROOT,), set()),
        ((LEAF, MIDDLE, SHA1_CROSS, OLD_ROOT), (ROOT, OLD_ROOT), set()),
        ((LEAF, MIDDLE, EXPIRED_CROSS), (ROOT,), set()),
        ((LEAF, MIDDLE, EXPIRED_CROSS, OLD_ROOT), (ROOT, OLD_ROOT), set()),
        ((LEAF, EXPIRED_MIDDLE, MIDDLE), (ROOT,), set()),
        ((LEAF, MIDDLE, EXPIRED_MIDDLE), (ROOT,), set()),
        ((LEAF, MIDDLE, ROOT), (ROOT,), set()),
        ((LEAF, ROOT, MIDDLE), (ROOT,), set()),  # in the wrong order
        ((LEAF, MIDDLE, OLD_ROOT), (ROOT,), set()),  # with one that does not belong to it
        ((LEAF, MIDDLE), (MIDDLE,), set()),  # the CA file has the intermediate only
        ((SELF,), (SELF,), set()),
        ((LEAF, EXPIRED_MIDDLE), (ROOT,), {"tls.cert_expired"}),
        ((LEAF, FUTURE_MIDDLE), (ROOT,), {"tls.cert_not_yet_valid"}),
        ((BY_WEAK, SHA1_MIDDLE), (ROOT,), {"tls.cert_weak_signature"}),
        ((BY_WEAK, SHA1_MIDDLE), (SHA1_MIDDLE,), set()),  # it is trusted as it is, whoever signed it
        ((LEAF, MIDDLE, ROOT), (OLD_ROOT,), {"tls.cert_untrusted"}),
        ((LEAF, MIDDLE, SHA1_CROSS), (SELF,), {"tls.cert_untrusted", "tls.cert_weak_signature"}),
    ],
)
def test_the_path_that_is_used_is_judged_and_nothing_else_that_is_sent(
    chain: tuple[Issued, ...], trusted: tuple[Issued, ...], failed: set[str], tmp_path: Path
) -> None:
    with mail_server(server_context(tmp_path, chain)) as server:
        result = look(tmp_path, server, trusted=trusted)
    said = "\n".join(f"{one.status} {one.id}: {one.message}" for one in result.findings)
    assert of_certificates(result) == failed, said


def test_a_weak_signature_above_the_servers_own_is_told_of_the_ca(tmp_path: Path) -> None:
    """An unused cross-signature read "it is signed with sha1" of a certificate that is not."""
    with mail_server(server_context(tmp_path, (BY_WEAK, SHA1_MIDDLE))) as server:
        found = one_of(look(tmp_path, server), "tls.cert_weak_signature")
    assert found.message.endswith("Weak CA, a CA certificate of its chain, is signed with sha1")


def test_a_server_with_an_rsa_and_an_ecdsa_certificate_is_well(tmp_path: Path) -> None:
    with mail_server(server_context(tmp_path, (LEAF, MIDDLE), (RSA_LEAF, MIDDLE))) as server:
        assert of_certificates(look(tmp_path, server)) == set()


def test_two_certificates_on_two_services_each_right_are_a_notice(tmp_path: Path) -> None:
    with (
        mail_server(server_context(tmp_path, (LEAF, MIDDLE))) as one,
        mail_server(server_context(tmp_path, (RSA_LEAF, MIDDLE)), is_implicit=True) as other,
    ):
        found = one_of(look(tmp_path, one, other), "tls.cert_differs_between_ports")
    assert (found.status, found.severity) == (Verdict.FAIL, "notice")
    assert f"its ports show 2 different certificates: {one.port} " in found.message


def test_one_that_was_forgotten_at_a_renewal_is_a_warning(tmp_path: Path) -> None:
    with (
        mail_server(server_context(tmp_path, (LEAF, MIDDLE))) as one,
        mail_server(server_context(tmp_path, (EXPIRING, MIDDLE)), is_implicit=True) as other,
    ):
        found = one_of(look(tmp_path, one, other), "tls.cert_differs_between_ports")
    assert (found.status, found.severity) == (Verdict.FAIL, "warning")


def test_two_addresses_with_two_certificates_are_named_and_no_ports(tmp_path: Path) -> None:
    """Two A records read "its ports show 2 different certificates"."""
    with pool(tmp_path, (LEAF, MIDDLE), (RSA_LEAF, MIDDLE)) as servers:
        found = one_of(
            look(tmp_path, servers[0], addresses=("127.0.0.1", "127.0.0.2")), "tls.cert_differs_between_ports"
        )
    assert (found.status, found.severity) == (Verdict.FAIL, "notice")
    assert "its addresses show 2 different certificates: 127.0.0.1 " in found.message
    assert "; 127.0.0.2 " in found.message
    assert "port" not in found.message


def test_an_address_with_a_bad_certificate_is_named(tmp_path: Path) -> None:
    with pool(tmp_path, (LEAF, MIDDLE), (LEAF, MIDDLE), (EXPIRED, MIDDLE)) as servers:
        result = look(tmp_path, servers[0], addresses=("127.0.0.1", "127.0.0.2", "127.0.0.3"))
    found = one_of(result, "tls.cert_differs_between_ports")
    assert found.severity == "warning"
    assert "127.0.0.1, 127.0.0.2 " in found.message
    expired = [one.target for one in result.findings if one.id == "tls.cert_expired" and one.status is Verdict.FAIL]
    assert [target.endswith("(127.0.0.3)") for target in expired] == [True]


@pytest.mark.parametrize("is_implicit", [False, True])
@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("chain", "failed"),
    [((LEAF, MIDDLE), set()), ((EXPIRED, MIDDLE), {"tls.cert_expired"}), ((SELF,), {"tls.cert_self_signed"})],
)
def test_a_server_that_demands_our_certificate_is_unknown_and_its_own_is_judged(
    chain: tuple[Issued, ...], failed: set[str], newest: ssl.TLSVersion, is_implicit: bool, tmp_path: Path
) -> None:
    context = server_context(tmp_path, chain)
    context.maximum_version = newest
    context.verify_mode = ssl.CERT_REQUIRED
    with mail_server(context, is_implicit=is_implicit) as server:
        result = look(tmp_path, server)
    said = "\n".join(f"{one.status} {one.severity} {one.id}: {one.message}" for one in result.findings)
    found = one_of(result, "tls.client_cert_required")
    assert (found.status, found.severity) == (Verdict.UNKNOWN, None), said
    assert "demands a certificate of the client" in found.message
    bad = {one.id for one in result.findings if one.status is Verdict.FAIL and not one.id.startswith("dns.")}
    assert bad == failed, said
    assert {one.id for one in result.findings if one.status is Verdict.UNKNOWN} == {"tls.client_cert_required"}, said


@pytest.mark.parametrize("is_implicit", [False, True])
@pytest.mark.parametrize("lingers_s", [0.03, 30])
def test_a_bad_chain_is_judged_where_the_server_lets_us_in_once_at_a_time(
    lingers_s: float, is_implicit: bool, tmp_path: Path
) -> None:
    context = server_context(tmp_path, (SELF,))
    with mail_server(context, is_implicit=is_implicit, max_clients=1, lingers_s=lingers_s) as server:
        result = look(tmp_path, server)
    said = "\n".join(f"{one.status} {one.severity} {one.id}: {one.message}" for one in result.findings)
    failed = {one.id for one in result.findings if one.status is Verdict.FAIL and not one.id.startswith("dns.")}
    assert "tls.cert_self_signed" in failed, said
    assert failed - {"smtp.ext_missing"} == {"tls.cert_self_signed"}, said
    statuses = {one.status for one in result.findings if one.id == "tls.handshake_failed"}
    assert statuses == {Verdict.UNKNOWN if lingers_s > 1 else Verdict.PASS}, said
