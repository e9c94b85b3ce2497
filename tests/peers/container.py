"""The usual mail server in a container: a self-signed certificate, strict about names."""

from __future__ import annotations

from mailmon.sandbox import Faults, Sandbox


class Container(Sandbox):
    """A sandbox with a self-signed certificate: login names by the letter, no user+detail, senders must be owned.

    What it does with mail that it took is said by its `faults`: bounce, lose_mail, footer, pixel, glue.
    """

    def __init__(self, address: str, password: str) -> None:
        faults = Faults(certificate="self_signed", exact_case=True, no_detail=True)
        super().__init__(faults=faults, users={address: password})
