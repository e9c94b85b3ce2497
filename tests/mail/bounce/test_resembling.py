"""Mail that speaks of bounces is no bounce, whatever its return path is."""

from __future__ import annotations

import pytest

from mailmon.mail.bounce import Kind, classify
from tests.mail.bounce.resembling import RESEMBLING, Mail


@pytest.mark.parametrize("path", ["<>", "<MAILER-DAEMON@mail.example.net>", "<someone@example.net>"])
@pytest.mark.parametrize("mail", RESEMBLING.values(), ids=RESEMBLING.keys())
def test_what_resembles_a_bounce_is_none_also_with_an_empty_return_path(mail: Mail, path: str) -> None:
    found = classify(mail.raw(path))
    assert found.kind is Kind.OTHER
    assert not any(recipient.is_hard for recipient in found.recipients)
