"""The IMAP server behaves as RFC 3501 says, seen by imaplib."""

import imaplib
import re
import threading
import time

import pytest

from mailmon.sandbox import Sandbox
from tests.sandbox.clients import (
    MONITOR,
    PROBE,
    SECOND,
    TIMEOUT_S,
    RawImap,
    imap_client,
    imap_stranger,
    submit,
    trusting,
)


def test_a_login_is_possible_after_starttls_only(sandbox: Sandbox) -> None:
    with imaplib.IMAP4(sandbox.host, sandbox.imap_port, TIMEOUT_S) as client:
        assert {"STARTTLS", "LOGINDISABLED"} <= set(client.capabilities)
        with pytest.raises(imaplib.IMAP4.error, match="LOGIN is disabled"):
            client.login(SECOND, sandbox.users[SECOND])
        client.starttls(trusting(sandbox))
        assert "AUTH=PLAIN" in client.capabilities
        assert "LOGINDISABLED" not in client.capabilities
        client.login(SECOND, sandbox.users[SECOND])
        assert client.select()[0] == "OK"


def test_a_message_submitted_is_found_and_read(sandbox: Sandbox) -> None:
    submit(sandbox)
    with imap_client(sandbox) as client:
        assert client.uid("SEARCH", "HEADER", "X-Probe", '"one"') == ("OK", [b"1"])
        _, data = client.uid("FETCH", "1", "(BODY.PEEK[])")
        assert data[0][1] == sandbox.store.mailbox(SECOND).messages[0].raw


def test_authenticate_plain_works_with_a_challenge(sandbox: Sandbox) -> None:
    client = imap_stranger(sandbox)
    credentials = f"\0{SECOND}\0{sandbox.users[SECOND]}".encode()
    assert client.authenticate("PLAIN", lambda _: credentials)[0] == "OK"
    client.logout()


def test_a_refused_login_has_its_response_code(sandbox: Sandbox) -> None:
    with imap_stranger(sandbox) as client:
        with pytest.raises(imaplib.IMAP4.error, match=r"^b'\[AUTHENTICATIONFAILED\] "):
            client.login(SECOND, "wrong")
        sandbox.faults.refuse_login = {"imap"}
        with pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"):
            client.login(SECOND, sandbox.users[SECOND])


def test_a_hostile_server_quotes_the_credentials(sandbox: Sandbox) -> None:
    sandbox.faults.echo_credentials = True
    with imap_stranger(sandbox) as client, pytest.raises(imaplib.IMAP4.error, match=r"sentinel \(c2VudGluZWw="):
        client.login(SECOND, "sentinel")


def test_passwords_may_hold_quotes_backslashes_and_any_letters() -> None:
    password = 'a"b\\c{3} \u00e9'
    with Sandbox(users={SECOND: password}) as sandbox, RawImap(sandbox, user=None) as raw_imap:
        octets = password.encode()
        raw_imap.send(b"t1 LOGIN {%d+}\r\n%s {%d}\r\n" % (len(SECOND), SECOND.encode(), len(octets)))
        assert raw_imap.line().startswith(b"+ ")
        raw_imap.send(octets + b"\r\n")
        assert raw_imap.line().startswith(b"t1 OK ")
    with Sandbox(users={SECOND: 'a"b\\c{3}'}) as sandbox, RawImap(sandbox, user=None) as raw_imap:
        assert raw_imap.ask(r'LOGIN "second@example.org" "a\"b\\c{3}"')[-1].startswith(b"t1 OK ")


def test_append_tells_the_uid_and_keeps_flags_and_date(sandbox: Sandbox) -> None:
    with imap_client(sandbox) as client:
        date = '"17-Jul-1996 02:44:25 -0700"'
        status, [text] = client.append("INBOX", r"(\Seen custom)", date, PROBE)
        assert status == "OK"
        assert re.match(rb"\[APPENDUID \d+ 1\]", text)
        _, lines = client.fetch("1", "(FLAGS INTERNALDATE RFC822.SIZE)")
        date = '"17-Jul-1996 09:44:25 +0000"'
        assert lines == [rf"1 (FLAGS (\Seen custom \Recent) INTERNALDATE {date} RFC822.SIZE {len(PROBE)})".encode()]
        assert client.append("Missing", "", "", PROBE)[1][0].startswith(b"[TRYCREATE]")


def test_select_tells_all_that_a_client_needs(sandbox: Sandbox) -> None:
    sandbox.store.mailbox(SECOND).append(PROBE)
    with imap_client(sandbox) as client:
        assert client.response("EXISTS")[1] == [b"1"]
        assert client.response("RECENT")[1] == [b"1"]
        assert client.response("UIDNEXT")[1] == [b"2"]
        assert int(client.response("UIDVALIDITY")[1][0]) > 0
        assert client.response("READ-WRITE")[1] == [b""]
    with imap_client(sandbox) as client:
        assert client.response("RECENT")[1] == [b"0"]
        client.select(readonly=True)
        assert client.response("READ-ONLY")[1] == [b""]
        assert client.store("1", "+FLAGS", r"\Seen")[0] == "NO"


def test_folders_can_be_made_listed_and_deleted(sandbox: Sandbox) -> None:
    with imap_client(sandbox) as client:
        assert client.create("Work/Old")[0] == "OK"
        assert client.create("Work/Old")[0] == "NO"
        assert client.list()[1] == [b'() "/" "INBOX"', b'() "/" "Work/Old"']
        assert client.list('""', "%")[1] == [b'() "/" "INBOX"']
        assert client.list('"Work/"', "*")[1] == [b'() "/" "Work/Old"']
        assert client.list('""', '""')[1] == [b'(\\Noselect) "/" ""']
        assert client.lsub('""', "inbox")[1] == [b'() "/" "INBOX"']
        client.append("Work/Old", "", "", PROBE)
        status = client.status("Work/Old", "(MESSAGES UIDNEXT UNSEEN RECENT)")[1]
        assert status == [b'"Work/Old" (MESSAGES 1 UIDNEXT 2 UNSEEN 1 RECENT 1)']
        assert client.delete("Work/Old")[0] == "OK"
        assert client.delete("INBOX")[0] == "NO"
        assert client.select("Work/Old")[0] == "NO"
        assert client.state == "AUTH"


def test_a_folder_made_anew_has_another_uidvalidity(sandbox: Sandbox) -> None:
    first = sandbox.store.mailbox(SECOND, "Work").uid_validity
    sandbox.store.delete(SECOND, "Work")
    assert sandbox.store.mailbox(SECOND, "Work").uid_validity != first


def test_copy_and_move_tell_the_new_uids(sandbox: Sandbox) -> None:
    sandbox.store.mailbox(SECOND).append(PROBE, ["\\Seen"])
    work = sandbox.store.mailbox(SECOND, "Work")
    with imap_client(sandbox) as client:
        assert client.uid("COPY", "1", "Work")[0] == "OK"
        assert client.response("COPYUID")[1] == [b"%d 1 1" % work.uid_validity]
        assert client.uid("MOVE", "1", "Work")[0] == "OK"
        assert client.response("EXPUNGE")[1] == [b"1"]
        assert client.uid("COPY", "1:*", "Missing")[1][0].startswith(b"[TRYCREATE]")
    assert [(message.uid, message.flags) for message in work.messages] == [(1, {"\\Seen"}), (2, {"\\Seen"})]
    assert sandbox.store.mailbox(SECOND).messages == []


def test_expunge_removes_deleted_messages_and_renumbers(sandbox: Sandbox) -> None:
    inbox = sandbox.store.mailbox(SECOND)
    for _ in range(4):
        inbox.append(PROBE)
    with imap_client(sandbox) as client:
        client.store("2:3", "+FLAGS", r"(\Deleted)")
        assert client.uid("EXPUNGE", "2")[0] == "OK"
        assert client.response("EXPUNGE")[1] == [b"2"]
        assert [message.uid for message in inbox.messages] == [1, 3, 4]
        assert client.expunge() == ("OK", [b"2"])
        assert client.uid("SEARCH", "ALL")[1] == [b"1 4"]
        client.store("1", "+FLAGS", r"(\Deleted)")
        client.close()
        assert [message.uid for message in inbox.messages] == [4]


def test_unselect_removes_nothing(sandbox: Sandbox) -> None:
    sandbox.store.mailbox(SECOND).append(PROBE, ["\\Deleted"])
    with imap_client(sandbox) as client:
        assert client.unselect()[0] == "OK"
    assert len(sandbox.store.mailbox(SECOND).messages) == 1


def test_noop_tells_of_new_and_gone_messages(sandbox: Sandbox) -> None:
    inbox = sandbox.store.mailbox(SECOND)
    inbox.append(PROBE)
    with imap_client(sandbox) as client:
        inbox.append(PROBE)
        client.noop()
        assert client.response("EXISTS")[1] == [b"1", b"2"]
        inbox.expunge([1])
        assert client.search(None, "ALL")[1] == [b"1 2"]
        assert client.response("EXPUNGE")[1] == [None]
        client.noop()
        assert client.response("EXPUNGE")[1] == [b"1"]
        assert client.search(None, "ALL")[1] == [b"1"]


def test_a_search_finds_a_message_that_has_just_come(sandbox: Sandbox) -> None:
    with imap_client(sandbox) as client:
        sandbox.store.mailbox(SECOND).append(PROBE)
        assert client.uid("SEARCH", "ALL")[1] == [b"1"]


def test_idle_tells_promptly_of_a_new_message(sandbox: Sandbox, raw_imap: RawImap) -> None:
    raw_imap.send(b"t1 IDLE\r\n")
    assert raw_imap.line() == b"+ idling"
    time.sleep(0.05)
    started_at = time.monotonic()
    threading.Thread(target=submit, args=(sandbox,)).start()
    assert raw_imap.line() == b"* 4 EXISTS"
    assert time.monotonic() - started_at < 1.0
    assert raw_imap.line().endswith(b"RECENT")
    sandbox.store.mailbox(SECOND).expunge([1])
    assert raw_imap.line() == b"* 1 EXPUNGE"
    raw_imap.send(b"done\r\n")
    assert raw_imap.line() == b"t1 OK IDLE terminated"
    assert raw_imap.ask("noop")[-1].startswith(b"t1 OK")


def test_imapclient_gets_along_with_it(sandbox: Sandbox) -> None:
    imapclient = pytest.importorskip("imapclient")
    with imapclient.IMAPClient(sandbox.host, sandbox.imaps_port, ssl_context=trusting(sandbox)) as client:
        client.login(MONITOR, sandbox.users[MONITOR])
        assert client.id_() == ((b"name", b"mailmon sandbox"),)
        client.select_folder("INBOX")
        client.append("INBOX", PROBE, flags=[b"\\Seen"])
        assert client.search(["SUBJECT", "probe"]) == [1]
        client.add_flags([1], [b"\\Flagged"])
        fetched = client.fetch([1], ["FLAGS", "ENVELOPE", "BODY.PEEK[HEADER]"])[1]
        assert fetched[b"FLAGS"] == (b"\\Flagged", b"\\Seen", b"\\Recent")
        assert fetched[b"ENVELOPE"].message_id == b"<probe-1@example.org>"
        assert fetched[b"ENVELOPE"].from_[0].mailbox == b"monitor"
        client.idle()
        sandbox.store.mailbox(MONITOR).append(PROBE)
        assert (2, b"EXISTS") in client.idle_check(timeout=2)
        client.idle_done()
        client.create_folder("Done")
        client.move([1], "Done")
        assert client.folder_status("Done", ["MESSAGES"]) == {b"MESSAGES": 1}
