"""An MX host with several addresses: each has a certificate, and senders meet each of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mailmon.domain.options import Options
from mailmon.domain.survey import survey
from mailmon.model.dns import Survey
from mailmon.model.findings import Verdict
from tests.diagnose.issuing import Issued, ca_file, issue
from tests.diagnose.mail_server import pool
from tests.domain.nameserver import serving, zone_of

ROOT = issue("Public CA", is_ca=True)
ONE, OTHER = issue("mx.mail.test", ROOT), issue("mx.mail.test", ROOT)


def tlsa(*of: Issued) -> str:
    return "\n".join(f"_25._tcp.mx TLSA 3 1 1 {hashlib.sha256(one.public).hexdigest()}" for one in of)


def look(folder: Path, port: int, records: str) -> Survey:
    with serving([zone_of("mail.test", f"@ MX 10 mx\n{records}")], validates=True) as names:
        options = Options((("127.0.0.1", names.port),), 2.0, 10.0, ca_file=ca_file(folder, ROOT), smtp_port=port)
        return survey("mail.test", options)


def mismatches(result: Survey) -> dict[str, Verdict]:
    return {one.target: one.status for one in result.findings if one.id == "dane.tlsa_mismatch"}


def test_a_certificate_at_the_second_address_that_no_tlsa_record_fits_is_told(tmp_path: Path) -> None:
    with pool(tmp_path, (ONE,), (OTHER,)) as servers:
        addresses = "mx A 127.0.0.1\nmx A 127.0.0.2"
        port = servers[0].port
        result = look(tmp_path, port, f"{addresses}\n{tlsa(ONE)}")
        (row,) = [one for one in result.records if one.type == "TLSA"]
        assert {f"_25._tcp.mx TLSA {line}" for line in row.expected.splitlines()} == {*tlsa(ONE, OTHER).splitlines()}
        assert mismatches(result) == {
            f"mx.mail.test:{port} (127.0.0.1)": Verdict.PASS,
            f"mx.mail.test:{port} (127.0.0.2)": Verdict.FAIL,
        }
        assert set(mismatches(look(tmp_path, port, f"{addresses}\n{tlsa(ONE, OTHER)}")).values()) == {Verdict.PASS}


def test_an_address_that_does_not_answer_leaves_the_other_to_be_looked_at(tmp_path: Path) -> None:
    with pool(tmp_path, (ONE,)) as servers:
        port = servers[0].port
        result = look(tmp_path, port, f"mx A 127.0.0.1\nmx AAAA ::1\n{tlsa(ONE)}")
        assert mismatches(result) == {f"mx.mail.test:{port} (127.0.0.1)": Verdict.PASS}
        other = look(tmp_path, port, f"mx A 127.0.0.9\nmx A 127.0.0.1\n{tlsa(ONE)}")
        assert mismatches(other) == {f"mx.mail.test:{port} (127.0.0.1)": Verdict.PASS}
        assert not [one for one in other.findings if one.id.startswith("tls.") and one.status is not Verdict.PASS]


def test_addresses_that_are_not_connected_to_are_named(tmp_path: Path) -> None:
    with pool(tmp_path, (ONE,)) as servers:
        records = "\n".join(f"mx A 127.0.0.{number}" for number in range(1, 6)) + f"\nmx AAAA ::1\n{tlsa(ONE)}"
        result = look(tmp_path, servers[0].port, records)
    assert result.notes == ("3 more addresses of MX hosts were not connected to: 127.0.0.3, 127.0.0.4, 127.0.0.5",)
