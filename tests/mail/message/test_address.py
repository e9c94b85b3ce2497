"""Addresses as servers accept them, and texts that are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailmon.mail.message.address import a_labels, wire_address


@pytest.mark.parametrize(
    ("address", "wire"),
    [
        ("user@example.org", "user@example.org"),
        ("a.b+c_d-e!#$%&'*/=?^`{|}~@example.org", "a.b+c_d-e!#$%&'*/=?^`{|}~@example.org"),
        ("user@bücher.example", "user@xn--bcher-kva.example"),
        ("user@straße.example", "user@xn--strae-oqa.example"),
        ("user@BÜCHER.example", "user@xn--bcher-kva.example"),
        ("user@例え.テスト", "user@xn--r8jz45g.xn--zckzah"),
        ("jürgen@example.org", "jürgen@example.org"),
        ("用户@例え.テスト", "用户@例え.テスト"),
    ],
)
def test_only_what_must_be_is_left_in_utf8(address: str, wire: str) -> None:
    assert wire_address(address) == wire


@pytest.mark.parametrize(
    "address",
    [
        "", "@", "user", "user@", "@example.org", "a b@example.org", "a\n@example.org", "<a@example.org>",
        "a@b@example.org", "a@-example.org", "a@exa_mple.org", "a@example..org", f"{'ä' * 40}@example.org",
        "a@" + "x" * 64 + ".org", "a\u202eb@example.org", "a\u200b@example.org", "a@\u202e.org", "a@\ud800.org",
        "a\x00@example.org", '"a"@example.org', "a@[192.0.2.1]",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match=r"address|domain"):
        wire_address(address)


@given(st.text(max_size=70), st.text(max_size=80))
def test_whatever_is_taken_for_an_address_is_printable_and_stays_what_it_is(local: str, domain: str) -> None:
    try:
        wire = wire_address(f"{local}@{domain}")
    except ValueError:
        return
    assert wire.isprintable()
    assert not set(wire) & set(' <>",;:\\')
    assert wire_address(wire) == wire
    assert a_labels(wire.rpartition("@")[2]).isascii()
