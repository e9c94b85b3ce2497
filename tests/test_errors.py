"""The line about a bug names a helpful place, and nothing that could be a secret."""

from __future__ import annotations

import json

import pytest

from mailmon.errors import place_of
from mailmon.mail.probe.probe import make_token
from mailmon.store.checked import was_checked


def test_the_place_in_mailmon_is_named() -> None:
    with pytest.raises(ValueError, match="16 bytes") as caught:
        make_token(b"sentinel")
    assert place_of(caught.value).startswith("mail/probe/probe.py:")


def test_the_deepest_place_in_mailmon_is_named_where_a_library_raised() -> None:
    with pytest.raises(AttributeError) as caught:
        was_checked("sentinel", {})  # type: ignore[arg-type]
    place = place_of(caught.value)
    assert place.startswith("store/")
    assert "sentinel" not in place


def test_what_never_passed_mailmon_has_no_place() -> None:
    with pytest.raises(ValueError, match="Expecting") as caught:
        json.loads("sentinel")
    assert place_of(caught.value) == "?"
