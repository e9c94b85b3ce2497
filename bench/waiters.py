"""Who sees an EXISTS that rides on the reply to an empty SEARCH? Two waiters as one writes them, and a whole cycle.

Runs as a program of its own: `python waiters.py LIBRARY MODE HOST PORT CA_FILE USER PASSWORD`, so that its import, CPU
and memory can be measured. LIBRARY is imaplib or imapclient. MODE `noop` or `idle` waits: it searches once it reads a
line on stdin and prints where it saw the message, "nowhere" when its patience ends. MODE `cycle` finds, fetches and
deletes all messages. Each waiter imports its own library only: that is part of what is measured.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

PATIENCE_S = 1.5
INTERVAL_S = 0.05
FIELDS = "BODY.PEEK[HEADER.FIELDS (SUBJECT)]"


def wait_with_imaplib(mode: str, host: str, port: int, ca_file: str, user: str, password: str) -> str:
    """Search, then NOOP until the untagged responses hold an EXISTS: imaplib keeps them whatever they rode on."""
    import imaplib
    import ssl

    client = imaplib.IMAP4_SSL(host, port, ssl_context=ssl.create_default_context(cafile=ca_file), timeout=10)
    client.login(user, password)
    client.select("INBOX")
    if mode == "cycle":
        _, found = client.uid("SEARCH", "ALL")
        uids = ",".join(found[0].decode().split())
        client.uid("FETCH", uids, f"({FIELDS})")
        client.uid("STORE", uids, "+FLAGS.SILENT", r"(\Deleted)")
        client.uid("EXPUNGE", uids)
        client.logout()
        return "done"
    client.response("EXISTS")  # SELECT's own
    _tell_and_wait_for_go()
    client.uid("SEARCH", "SUBJECT", "probe")
    if client.response("EXISTS")[1] != [None]:
        return "on the SEARCH"
    return _poll(lambda: client.noop() and client.response("EXISTS")[1] != [None])


def wait_with_imapclient(mode: str, host: str, port: int, ca_file: str, user: str, password: str) -> str:
    """Search, then wait for an EXISTS among what noop() or idle_check() return: all that the library's API offers."""
    import ssl

    from imapclient import IMAPClient

    client = IMAPClient(host, port, ssl_context=ssl.create_default_context(cafile=ca_file), timeout=10)
    client.login(user, password)
    client.select_folder("INBOX")
    if mode == "cycle":
        uids = client.search("ALL")
        client.fetch(uids, [FIELDS])
        client.add_flags(uids, [rb"\Deleted"], silent=True)
        client.uid_expunge(uids)
        client.logout()
        return "done"
    _tell_and_wait_for_go()
    if client.search(["SUBJECT", "probe"]):
        return "found by SEARCH"
    if mode == "noop":
        return _poll(lambda: any(b"EXISTS" in response for response in client.noop()[1]))
    client.idle()
    told = client.idle_check(timeout=PATIENCE_S)
    return "later" if any(b"EXISTS" in response for response in told) else "nowhere"


def _tell_and_wait_for_go() -> None:
    print("selected", flush=True)
    sys.stdin.readline()


def _poll(has_grown: Callable[[], bool]) -> str:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        if has_grown():
            return "later"
        time.sleep(INTERVAL_S)
    return "nowhere"


if __name__ == "__main__":
    library, mode, host, port, *rest = sys.argv[1:]
    wait = {"imaplib": wait_with_imaplib, "imapclient": wait_with_imapclient}[library]
    print(wait(mode, host, int(port), *rest))
