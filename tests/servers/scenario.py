"""What every combination goes through: a cell returns a remark, or fails with an AssertionError that says why."""

from __future__ import annotations

import contextlib
import json
import smtplib
import ssl
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.integration.stage import kinds
from tests.monitor import Run
from tests.servers.machine import MachineError
from tests.servers.outside import AWAY, REFUSALS, letter
from tests.servers.parts import BOUNCES, DOMAIN, HOST, MONITOR, PASSWORD, Stored
from tests.servers.stage import Stage, load

GREEN_RUNS = 3
UNKNOWN = ("nobody.here", "no.such.user")
_STRANGERS = 5


class Verdict(NamedTuple):
    """What came of one cell: "yes", "no" or "-"; a remark, or what was wrong."""

    cell: str
    word: str
    remark: str = ""


class Cell(NamedTuple):
    """One column: its heading, what is played, and whether it needs IMAP."""

    heading: str
    play: Callable[[Stage], str]
    needs_imap: bool = False


def play(stage: Stage, wanted: list[str], tell: Callable[[str], None]) -> list[Verdict]:
    """Play all cells, or those wanted; foreign mail is compared with what lay there first after every one."""
    put_foreign_mail(stage)
    before = kept(stage)
    recent = sum(message.is_recent for message in stage.stored())
    verdicts, touched = [], []
    for name, cell in CELLS.items():
        is_left_out = (wanted and name not in wanted) or (stage.row.cells and name not in stage.row.cells)
        if is_left_out or (cell.needs_imap and stage.row.protocol != "imap"):
            verdicts.append(Verdict(name, "-"))
            continue
        word, remark = "yes", ""
        try:
            remark = cell.play(stage)
        except Exception as exc:
            word = "no"
            remark = str(exc) if isinstance(exc, AssertionError) else f"{type(exc).__name__}: {exc}"
            (stage.evidence / f"{name}.traceback").write_text(traceback.format_exc())
        tell(f"  {cell.heading}: {word}{f' ({remark})' if remark else ''}")
        verdicts.append(Verdict(name, word, remark))
        if lost := difference(before, kept(stage)):
            touched.append(f"{name}: {lost}")
    left = recent - sum(message.is_recent for message in stage.stored())
    remark = "; ".join(touched) or (f"\\Recent lost on {left}" if left > 0 else "")
    verdicts.append(Verdict("foreign", "no" if touched else "yes", remark))
    return verdicts


# Foreign mail


def put_foreign_mail(stage: Stage) -> None:
    """Put five messages of strangers into the watched mailbox: unread, read, deleted, flagged, and a false probe."""
    marked = {"read": "\\Seen", "deleted": "\\Deleted", "flagged": "\\Flagged"}
    stage.deliver(MONITOR, *(_foreign(f"foreign {name}", f"This one is {name}.") for name in marked))
    with stage.imap() as client:
        client.select("INBOX")
        for name, flag in marked.items():
            [found] = client.uid("SEARCH", "SUBJECT", f'"foreign {name}"')[1]
            client.uid("STORE", found.decode(), "+FLAGS.SILENT", f"({flag})")
        client.unselect()
    # Nobody has looked at these yet: they are recent.
    token = "mm" + "0123456789abcdef" * 2
    false = _foreign(f"mailmon probe {token}", token, f"X-Mailmon-Token: {token}")
    stage.deliver(MONITOR, _foreign("foreign unread", "This one is unread."), false)


def _foreign(subject: str, body: str, more: str = "") -> bytes:
    return letter(f"stranger@{AWAY}", f"{MONITOR}@{DOMAIN}", subject, body, more)


def kept(stage: Stage) -> list[Stored]:
    """Return what lies in the watched mailbox, without what only says whether anybody has looked."""
    return sorted(message._replace(is_recent=False) for message in stage.stored())


def difference(before: list[Stored], after: list[Stored]) -> str:
    """Return in words what is missing or was changed, "" for nothing. What was added does not count here."""
    missing = list(before)
    for message in after:
        if message in missing:
            missing.remove(message)
    return ", ".join(f"{message.folder} {sorted(message.flags)} {message.digest[:8]} is gone" for message in missing)


def clean(stage: Stage) -> None:
    """Fail unless exactly the five foreign messages are left."""
    left = stage.stored()
    assert len(left) == _STRANGERS, f"{len(left)} messages on disk, not {_STRANGERS}"


# Cells


def green(stage: Stage) -> str:
    """Three runs and one that shows the conversations: all is well, and nobody is told anything."""
    for number in range(GREEN_RUNS + 1):
        all_well(stage, *(["--verbose"] if number == GREEN_RUNS else []))
    assert not kinds(stage.receiver), f"alerts: {kinds(stage.receiver)}"
    return ""


def cleanup(stage: Stage) -> str:
    """What the runs before have sent is gone from the disk."""
    clean(stage)
    return ""


def wrong_password(stage: Stage) -> str:
    """Both logins fail and say so; with the right password all is well at once."""
    account = stage.account(password="not the password")
    monitor = stage.monitor("wrong", accounts={"main": account}, notify="none")
    run = stage.check(monitor)
    assert run.exit_code == 1, f"exit code {run.exit_code}"
    for step in ("smtp_auth:main", stage.mailbox_step):
        said = words_of(run, step)
        assert run.step(step)["status"] == "failed", f"{step}: {said}"
        assert "password" in said.lower(), f"{step}: no word of the password: {said}"
    all_well(stage)
    return ""


def stopped_smtp(stage: Stage) -> str:
    """The SMTP server is stopped: one alert, and one recovery once it is back."""
    return _stopped(stage, stage.row.transport, stage.row.transport.submission.port, "smtp_auth:main")


def stopped_mailbox(stage: Stage) -> str:
    """The same with the server of the mailbox."""
    store = stage.row.store
    door = store.imap if stage.row.protocol == "imap" else store.pop3
    return _stopped(stage, store, door.port, stage.mailbox_step)


def _stopped(stage: Stage, part: Any, port: int, step: str) -> str:
    told = len(kinds(stage.receiver))
    part.stop(stage.machine)
    try:
        stage.machine.wait_for([port], is_open=False)
        for _ in range(2):
            run = stage.check()
            said = words_of(run, step)
            assert run.step(step)["status"] == "failed", f"{step} is {run.step(step)['status']}: {said}"
            assert f"{HOST}:{port}" in said, f"no word of {HOST}:{port}: {said}"
            assert "refused" in said, f"no word of the refused connection: {said}"
    finally:
        part.start(stage.machine)
        stage.wait_for_all()
    stage.row.transport.release(stage.machine)
    stage.wait_until(lambda: not stage.check().troubled, "all is well again", 120)
    alerts = kinds(stage.receiver)[told:]
    assert alerts == ["problem", "recovery"], f"alerts: {alerts}"
    all_well(stage)
    clean(stage)
    return ""


def held(stage: Stage) -> str:
    """Mail stays in the queue: it is told as not received; once released it is told as late, and removed."""
    told = len(kinds(stage.receiver))
    stage.row.transport.hold(stage.machine)
    try:
        stage.wait_for_all()
        run = stage.check()
        said = words_of(run, "receive:main")
        assert run.step("send:main")["status"] == "ok", words_of(run, "send:main")
        assert run.step("receive:main")["status"] == "failed", said
        assert "not received within" in said, said
        assert len(stage.stored()) == _STRANGERS, "the message was not held"
    finally:
        stage.row.transport.release(stage.machine)
        stage.wait_for_all()
    stage.wait_until(lambda: len(stage.stored()) > _STRANGERS, "what was held is delivered")
    run = stage.check()
    assert not run.troubled, f"after the release: {all_words(run)}"
    alerts = kinds(stage.receiver)[told:]
    assert alerts == ["problem", "recovery"], f"alerts: {alerts}"
    last = json.dumps(stage.receiver.ntfy_messages()[-1])
    assert "late" in last, f"the recovery does not say that the message was late: {last}"
    clean(stage)
    return ""


def full(stage: Stage) -> str:
    """The mailbox is over its quota: mail from another account does not arrive, and the run says why."""
    accounts = {"main": stage.account(), "other": stage.account(BOUNCES)}
    routes = {"main": stage.route("other", "main")}
    monitor = stage.monitor("full", accounts=accounts, routes=routes, notify="none")
    all_well(stage, monitor=monitor)
    stage.row.store.limit(stage.machine, is_full=True)
    try:
        stage.wait_for_all()
        run = stage.check(monitor)
    finally:
        stage.row.store.limit(stage.machine, is_full=False)
        stage.wait_for_all()
        stage.row.transport.release(stage.machine)
    said, everything = (words.lower() for words in (words_of(run, "receive:main"), all_words(run)))
    assert run.step("receive:main")["status"] == "failed", (
        f"receive:main is {run.step('receive:main')['status']}: {said}"
    )
    remark = "" if _names_full(said) else "told by the quota; the server sends no bounce, it tries again"
    if not _names_full(everything):
        # POP3 shows no quota: where the message is still on its way, nobody has said anything that could be told.
        assert stage.row.protocol == "pop3", f"no word of a full mailbox: {everything}"
        stage.wait_until(lambda: len(stage.stored()) > _STRANGERS, f"no word of a full mailbox, and no delay: {said}")
        remark = "the server tries again without a word, and POP3 shows no quota: not received, later late"
    stage.wait_until(lambda: not stage.check(monitor).troubled, "all is well again", 120)
    all_well(stage, monitor=monitor)
    clean(stage)
    left = stage.stored(BOUNCES)
    assert not left, f"{len(left)} messages are left in the sender's mailbox"
    return remark


def _names_full(words: str) -> bool:
    return "quota" in words or "full" in words


def bounces(stage: Stage) -> str:
    """Ten bounces that the server has made, and five other messages: read and sorted exactly."""
    sender = f"{BOUNCES}@{DOMAIN}"
    assert not stage.stored(BOUNCES), "the mailbox is not empty"
    wanted = {f"{local}@{AWAY}": (reason, hard) for local, (_, reason, hard) in REFUSALS.items()}
    with _submission(stage) as client:
        for recipient in wanted:
            raw = letter(sender, recipient, "an offer", "Dear customer, ...")
            client.sendmail(sender, [recipient], raw.replace(b"\n", b"\r\n"))
    for local in UNKNOWN:
        recipient = f"{local}@{DOMAIN}"
        wanted[recipient] = ("userunknown", True)
        try:
            stage.sendmail(sender, recipient, letter(sender, recipient, "an offer", "Dear colleague, ..."))
        except MachineError:  # refused at once: nothing comes back
            del wanted[recipient]
    stage.wait_until(lambda: len(stage.stored(BOUNCES)) >= len(wanted), f"{len(wanted)} bounces on disk")
    returned = {message.digest for message in stage.stored(BOUNCES)}
    stage.deliver(
        BOUNCES, *(letter(f"stranger@{AWAY}", sender, f"question {n}", "When is it?") for n in range(_STRANGERS))
    )
    others = {message.digest for message in stage.stored(BOUNCES)} - returned
    names = {"folder": "Returned", "processed": "Processed", "skipped": "Skipped"}
    folders = {key: f"{stage.row.store.prefix}{name}" for key, name in names.items()}
    with stage.imap(BOUNCES) as client:  # as a filter of the user's would
        client.create(folders["folder"])
        client.select("INBOX")
        client.copy("1:*", folders["folder"])
        client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
        client.expunge()
    account = {**stage.account(BOUNCES), "bounces": {**folders, "create_folders": True}}
    monitor = stage.monitor("bounces", accounts={"main": account}, routes={}, notify="none")
    run = stage.run(monitor, "bounces", "scan", "--json")
    [row] = load(run)["accounts"]
    assert run.exit_code == 0, f"exit code {run.exit_code}: {row['words']} {row['error']}"
    seen = {kind: count for kind, count in row["kinds"].items() if count}
    assert seen == {"bounce": len(wanted), "other": _STRANGERS}, f"read as {seen}"
    listed = load(stage.run(monitor, "bounces", "list", "--json"))
    _compare(wanted, listed)
    now = stage.stored(BOUNCES)
    assert len(now) == len(returned) + len(others), f"{len(now)} messages on disk after sorting"
    for folder, digests in (("Processed", returned), ("Skipped", others)):
        here = {message.digest for message in now if message.folder == folder}
        assert here == digests, (
            f"{folder} holds {len(here & digests)} of {len(digests)} and {len(here - digests)} others"
        )
    assert not any(message.flags for message in now), "messages were marked"
    return "" if len(wanted) > len(REFUSALS) else f"{len(wanted)} bounces: it refuses unknown local users at once"


def _compare(wanted: dict[str, tuple[str, bool]], listed: dict[str, Any]) -> None:
    """Fail unless exactly these recipients were read, each with its reason, and as hard or soft."""
    got = {one["address"]: one for one in listed["bounces"]}
    assert set(got) == set(wanted), (
        f"recipients: {sorted(set(wanted) - set(got))} missing, {sorted(set(got) - set(wanted))}"
    )
    wrong = {
        f'"{_masked(one["diagnostic"], address)}" ({one["status"]}) is read as {one["reason"]}, {_how(one["hard"])}; '
        f"it is {wanted[address][0]}, {_how(wanted[address][1])}"
        for address, one in got.items()
        if (one["reason"], one["hard"]) != wanted[address]
    }
    assert not wrong, "; ".join(sorted(wrong))


def _masked(words: str, address: str) -> str:
    return words.replace(address.partition("@")[0], "NAME")


def _how(is_hard: bool) -> str:
    return "hard" if is_hard else "soft"


@contextlib.contextmanager
def _submission(stage: Stage) -> Iterator[smtplib.SMTP]:
    door, context = stage.row.transport.submission, ssl.create_default_context(cafile=str(stage.ca_file))
    if door.security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(HOST, door.port, context=context, timeout=20)
    else:
        client = smtplib.SMTP(HOST, door.port, timeout=20)
        client.starttls(context=context)
    with client:
        client.login(BOUNCES, PASSWORD)
        yield client


def diagnose(stage: Stage) -> str:
    """Looked at from outside: no crash, nothing critical, no open relay."""
    found = []
    for option in ((), ("--relay-test",)):
        arguments = ("diagnose", HOST, "--json", "--ca-file", str(stage.ca_file), *option)
        run = stage.run(stage.monitor("diagnose", notify="none"), *arguments)
        assert run.exit_code in (0, 1, 75), f"exit code {run.exit_code}: {run.stderr[-300:]}"
        failed = [one for one in load(run)["findings"] if one["status"] == "fail"]
        critical = [f"{one['id']}: {one['message']}" for one in failed if one["severity"] == "critical"]
        assert not critical, "; ".join(critical)
        relayed = {one["status"] for one in load(run)["findings"] if one["id"] == "smtp.open_relay"}
        assert relayed <= {"pass", "unknown"}, f"smtp.open_relay is {sorted(relayed)}"
        found += ["smtp.open_relay unknown"] if "unknown" in relayed else []
        found += [one["id"] for one in failed if one["severity"] in ("error", "warning")]
    return ", ".join(sorted(set(found)))


CELLS = {
    "green": Cell("cycle green", green),
    "cleanup": Cell("cleanup exact", cleanup),
    "password": Cell("wrong password", wrong_password),
    "smtp": Cell("SMTP stopped", stopped_smtp),
    "mailbox": Cell("IMAP or POP3 stopped", stopped_mailbox),
    "held": Cell("held mail", held),
    "full": Cell("mailbox full", full),
    "bounces": Cell("`bounces scan`", bounces, needs_imap=True),
    "diagnose": Cell("`diagnose`", diagnose),
}
HEADINGS = {**{name: cell.heading for name, cell in CELLS.items()}, "foreign": "foreign mail untouched"}


# Words


def all_well(stage: Stage, *arguments: str, monitor: Any = None) -> None:
    """Run a cycle; fail unless each step went well."""
    run = stage.check(monitor, *arguments)
    load(run)
    assert run.exit_code == 0 and not run.troubled, f"exit code {run.exit_code}: {all_words(run)}"  # noqa: PT018
    found = [one["id"] for step in run.document["steps"] for one in step["findings"] if one["status"] == "fail"]
    assert not found, f"all is well, and yet there are findings: {found}"
    done = {step["check"] for step in run.document["steps"] if step["status"] == "ok"}
    missing = {"smtp_auth", f"{stage.row.protocol}_auth", "send", "receive", "cleanup"} - done
    assert not missing, f"not done: {sorted(missing)}"


def words_of(run: Run, step_id: str) -> str:
    """Return all that a step said."""
    step = run.step(step_id)
    findings = [f"{one['message']} {one.get('fix') or ''}" for one in step["findings"]]
    return " ".join([step["message"] or "", step["advice"] or "", *findings])


def all_words(run: Run) -> str:
    """Return what the steps of a run said that did not go well."""
    return " | ".join(f"{name}: {words_of(run, name)}" for name in run.troubled)
