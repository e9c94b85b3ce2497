"""SPF evaluation agrees with the openspf test suite for RFC 7208: 203 cases, with their zones."""

from __future__ import annotations

import ipaddress
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from mailmon.mail.auth.spf import Client, Found, check_host


class SuiteZone:
    """DNS as a zone file of the suite describes it."""

    def __init__(self, path: Path) -> None:
        self.names: dict[str, dict[str, Any]] = {
            name.lower().rstrip("."): records for name, records in json.loads(path.read_text("utf-8")).items()
        }

    def ask(self, name: str, kind: str) -> Found:
        for _ in range(10):
            records = self.names.get(name.lower().rstrip("."), {})
            if f"@rcode:{kind}" in records or records.get("@rcode", "NXDOMAIN") != "NXDOMAIN":
                return Found(is_error=True)
            if kind in records or "CNAME" not in records:
                return Found(tuple(map(self._text, records.get(kind, ()))))
            name = records["CNAME"][0]
        return Found(is_error=True)

    @staticmethod
    def _text(value: Any) -> str:
        # A character of the file is a byte of the record.
        joined = "".join(value) if isinstance(value, list) else str(value)
        return joined.rstrip(".") if joined.endswith(".") and " " not in joined.rpartition(" ")[2][:-1] else joined


def test_every_case_of_the_suite_has_a_result_that_it_allows(test_data: Path) -> None:
    folder = test_data / "spf"
    if not (folder / "cases.json").exists():
        pytest.skip("MAILMON_TEST_DATA holds no spf/cases.json")
    wrong: dict[str, str] = defaultdict(str)
    cases = json.loads((folder / "cases.json").read_text("utf-8"))
    zones = {name: SuiteZone(folder / name) for name in {case["zone"] for case in cases}}
    for case in cases:
        client = Client(ipaddress.ip_address(case["client_ip"]), case["helo"], case["mail_from"])
        verdict = check_host(client, zones[case["zone"]].ask)
        if verdict.result.value not in case["expect"]:
            wrong[case["id"]] = f"{verdict.result}: {verdict.reason}, expected {case['expect']}"
    assert len(cases) == 203
    assert len(wrong) <= 1, dict(wrong)
