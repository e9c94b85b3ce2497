"""The application layer refuses values by the names of its own fields, not by options of the command line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mailmon.app import diagnose, dns, spf
from mailmon.errors import UsageError


@pytest.mark.parametrize(
    ("call", "field"),
    [
        (lambda: diagnose.plan(diagnose.Wanted("h", relay="zzz")), "relay"),
        (lambda: diagnose.plan(diagnose.Wanted("h", helo="a b")), "helo"),
        (lambda: dns.plan(dns.Wanted("example.org", dkim_key=Path("key.pem"))), "dkim_key"),
        (lambda: dns.plan(dns.Wanted("example.org", addresses=("firm",))), "addresses"),
        (lambda: spf.client_of("x", helo="a.example"), "address"),
        (lambda: spf.client_of("192.0.2.1"), "mail_from"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_field(call: Callable[[], object], field: str) -> None:
    with pytest.raises(UsageError) as caught:
        call()
    assert (caught.value.field, "--" in caught.value.message) == (field, False)
