"""A fresh sandbox for each test; it starts in some milliseconds."""

import logging
from collections.abc import Iterator

import pytest

from mailmon.sandbox import Sandbox
from tests.sandbox.clients import MONITOR, PROBE, SECOND, RawImap


@pytest.fixture
def sandbox(caplog: pytest.LogCaptureFixture) -> Iterator[Sandbox]:
    """A sandbox that must not have met a bug of its own at the end."""
    with Sandbox() as sandbox:
        yield sandbox
    records = caplog.get_records("call") + caplog.get_records("teardown")
    assert [record.getMessage() for record in records if record.levelno >= logging.WARNING] == []


@pytest.fixture
def raw_imap(sandbox: Sandbox) -> Iterator[RawImap]:
    """Three messages, of which the second has no X-Probe, in the selected INBOX."""
    inbox = sandbox.store.mailbox(SECOND)
    inbox.append(PROBE)
    inbox.append(f"From: {MONITOR}\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nSecond.\r\n".encode(), ["\\Seen"])
    inbox.append(PROBE.replace(b"probe-1", b"probe-3"), ["\\Flagged"])
    with RawImap(sandbox) as raw_imap:
        raw_imap.ask("select inbox")
        yield raw_imap
