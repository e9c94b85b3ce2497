"""What every combination goes through: a cell returns a remark, or fails with an AssertionError that says why."""

from __future__ import annotations

import contextlib
import json
import smtplib
import ssl
import traceback
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tests.embedded import kinds
from tests.monitor import Run
from tests.servers.environment import Environment, document_of
from tests.servers.machine import MachineError
from tests.servers.outside import AWAY, REFUSALS, letter
from tests.servers.parts import BOUNCES, DOMAIN, HOST, MONITOR, PASSWORD, Stored

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
    play: Callable[[Environment], str]
    needs_imap: bool = False


def play(environment: Environment, wanted: list[str], tell: Callable[[str], None]) -> list[Verdict]:
    """Play all cells, or those wanted; foreign mail is compared with what lay there first after every one."""
    put_foreign_mail(environment)
    before = kept(environment)
    recent = sum(message.is_recent for message in environment.stored())
    verdicts, touched = [], []
    for name, cell in CELLS.items():
        is_left_out = (wanted and name not in wanted) or (environment.row.cells and name not in environment.row.cells)
        if is_left_out or (cell.needs_imap and environment.row.protocol != "imap"):
            verdicts.append(Verdict(name, "-"))
            continue
        word, remark = "yes", ""
        try:
            remark = cell.play(environment)
        except Exception as exc:
            word = "no"
            remark = str(exc) if isinstance(exc, AssertionError) else f"{type(exc).__name__}: {exc}"
            (environment.evidence / f"{name}.traceback").write_text(traceback.format_exc())
        tell(f"  {cell.heading}: {word}{f' ({remark})' if remark else ''}")
        verdicts.append(Verdict(name, word, remark))
        if lost := difference(before, kept(environment)):
            touched.append(f"{name}: {lost}")
    left = recent - sum(message.is_recent for message in environment.stored())
    remark = "; ".join(touched) or (f"\\Recent lost on {left}" if left > 0 else "")
    verdicts.append(Verdict("foreign", "no" if touched else "yes", remark))
    return verdicts


# Foreign mail


def put_foreign_mail(environment: Environment) -> None:
    """Put five messages of strangers into the watched mailbox: unread, read, deleted, flagged, and a false probe."""
    marked = {"read": "\\Seen", "deleted": "\\Deleted", "flagged": "\\Flagged"}
    environment.deliver(MONITOR, *(_foreign(f"foreign {name}", f"This one is {name}.") for name in marked))
    with environment.imap() as client:
        client.select("INBOX")
        for name, flag in marked.items():
            [found] = client.uid("SEARCH", "SUBJECT", f'"foreign {name}"')[1]
            client.uid("STORE", found.decode(), "+FLAGS.SILENT", f"({flag})")
        client.unselect()
    # Nobody has looked at these yet: they are recent.
    token = "mm" + "0123456789abcdef" * 2
    false = _foreign(f"mailmon probe {token}", token, f"X-Mailmon-Token: {token}")
    environment.deliver(MONITOR, _foreign("foreign unread", "This one is unread."), false)


def _foreign(subject: str, body: str, more: str = "") -> bytes:
    return letter(f"stranger@{AWAY}", f"{MONITOR}@{DOMAIN}", subject, body, more)


def kept(environment: Environment) -> list[Stored]:
    """Return what lies in the watched mailbox, without what only says whether anybody has looked."""
    return sorted(message._replace(is_recent=False) for message in environment.stored())


def difference(before: list[Stored], after: list[Stored]) -> str:
    """Return in words what is missing or was changed, "" for nothing. What was added does not count here."""
    missing = list(before)
    for message in after:
        if message in missing:
            missing.remove(message)
    return ", ".join(f"{message.folder} {sorted(message.flags)} {message.digest[:8]} is gone" for message in missing)


def clean(environment: Environment) -> None:
    """Fail unless exactly the five foreign messages are left."""
    left = environment.stored()
    assert len(left) == _STRANGERS, f"{len(left)} messages on disk, not {_STRANGERS}"


# Cells


def green(environment: Environment) -> str:
    """Three runs and one that shows the conversations: all is well, and nobody is told anything."""
    for number in range(GREEN_RUNS + 1):
        all_well(environment, *(["--verbose"] if number == GREEN_RUNS else []))
    assert not kinds(environment.receiver), f"alerts: {kinds(environment.receiver)}"
    return ""


def cleanup(environment: Environment) -> str:
    """What the runs before have sent is gone from the disk."""
    clean(environment)
    return ""


def wrong_password(environment: Environment) -> str:
    """Both logins fail and say so; with the right password all is well at once."""
    account = environment.account(password="not the password")
    monitor = environment.monitor("wrong", accounts={"main": account}, notify="none")
    run = environment.check(monitor)
    assert run.exit_code == 1, f"exit code {run.exit_code}"
    for step in ("smtp_auth:main", environment.mailbox_step):
        said = words_of(run, step)
        assert run.step(step)["status"] == "failed", f"{step}: {said}"
        assert "password" in said.lower(), f"{step}: no word of the password: {said}"
    all_well(environment)
    return ""


def stopped_smtp(environment: Environment) -> str:
    """The SMTP server is stopped: one alert, and one recovery once it is back."""
    return _stopped(environment, environment.row.transport, environment.row.transport.submission.port, "smtp_auth:main")


def stopped_mailbox(environment: Environment) -> str:
    """The same with the server of the mailbox."""
    store = environment.row.store
    door = store.imap if environment.row.protocol == "imap" else store.pop3
    return _stopped(environment, store, door.port, environment.mailbox_step)


def _stopped(environment: Environment, part: Any, port: int, step: str) -> str:
    told = len(kinds(environment.receiver))
    part.stop(environment.machine)
    try:
        environment.machine.wait_for([port], is_open=False)
        for _ in range(2):
            run = environment.check()
            said = words_of(run, step)
            assert run.step(step)["status"] == "failed", f"{step} is {run.step(step)['status']}: {said}"
            assert f"{HOST}:{port}" in said, f"no word of {HOST}:{port}: {said}"
            assert "refused" in said, f"no word of the refused connection: {said}"
    finally:
        part.start(environment.machine)
        environment.wait_for_all()
    environment.row.transport.release(environment.machine)
    environment.wait_until(lambda: not environment.check().troubled, "all is well again", 120)
    alerts = kinds(environment.receiver)[told:]
    assert alerts == ["problem", "recovery"], f"alerts: {alerts}"
    all_well(environment)
    clean(environment)
    return ""


def held(environment: Environment) -> str:
    """Mail stays in the queue: it is told as not received; once released it is told as late, and removed."""
    told = len(kinds(environment.receiver))
    environment.row.transport.hold(environment.machine)
    try:
        environment.wait_for_all()
        run = environment.check()
        said = words_of(run, "receive:main")
        assert run.step("send:main")["status"] == "ok", words_of(run, "send:main")
        assert run.step("receive:main")["status"] == "failed", said
        assert "not received within" in said, said
        assert len(environment.stored()) == _STRANGERS, "the message was not held"
    finally:
        environment.row.transport.release(environment.machine)
        environment.wait_for_all()
    environment.wait_until(lambda: len(environment.stored()) > _STRANGERS, "what was held is delivered")
    run = environment.check()
    assert not run.troubled, f"after the release: {all_words(run)}"
    alerts = kinds(environment.receiver)[told:]
    assert alerts == ["problem", "recovery"], f"alerts: {alerts}"
    last = json.dumps(environment.receiver.ntfy_messages()[-1])
    assert "late" in last, f"the recovery does not say that the message was late: {last}"
    clean(environment)
    return ""


def full(environment: Environment) -> str:
    """The mailbox is over its quota: mail from another account does not arrive, and the run says why."""
    accounts = {"main": environment.account(), "other": environment.account(BOUNCES)}
    routes = {"main": environment.route("other", "main")}
    monitor = environment.monitor("full", accounts=accounts, routes=routes, notify="none")
    all_well(environment, monitor=monitor)
    environment.row.store.limit(environment.machine, is_full=True)
    try:
        environment.wait_for_all()
        run = environment.check(monitor)
    finally:
        environment.row.store.limit(environment.machine, is_full=False)
        environment.wait_for_all()
        environment.row.transport.release(environment.machine)
    said, everything = (words.lower() for words in (words_of(run, "receive:main"), all_words(run)))
    assert run.step("receive:main")["status"] == "failed", (
        f"receive:main is {run.step('receive:main')['status']}: {said}"
    )
    remark = "" if _names_full(said) else "told by the quota; the server sends no bounce, it tries again"
    if not _names_full(everything):
        # POP3 shows no quota: where the message is still on its way, nobody has said anything that could be told.
        assert environment.row.protocol == "pop3", f"no word of a full mailbox: {everything}"
        environment.wait_until(
            lambda: len(environment.stored()) > _STRANGERS, f"no word of a full mailbox, and no delay: {said}"
        )
        remark = "the server tries again without a word, and POP3 shows no quota: not received, later late"
    environment.wait_until(lambda: not environment.check(monitor).troubled, "all is well again", 120)
    all_well(environment, monitor=monitor)
    clean(environment)
    left = environment.stored(BOUNCES)
    assert not left, f"{len(left)} messages are left in the sender's mailbox"
    return remark


def _names_full(words: str) -> bool:
    return "quota" in words or "full" in words


def bounces(environment: Environment) -> str:
    """Ten bounces that the server has made, and five other messages: read and sorted exactly."""
    sender = f"{BOUNCES}@{DOMAIN}"
    assert not environment.stored(BOUNCES), "the mailbox is not empty"
    wanted = {f"{local}@{AWAY}": (reason, hard) for local, (_, reason, hard) in REFUSALS.items()}
    with _submission(environment) as client:
        for recipient in wanted:
            raw = letter(sender, recipient, "an offer", "Dear customer, ...")
            client.sendmail(sender, [recipient], raw.replace(b"\n", b"\r\n"))
    for local in UNKNOWN:
        recipient = f"{local}@{DOMAIN}"
        wanted[recipient] = ("userunknown", True)
        try:
            environment.sendmail(sender, recipient, letter(sender, recipient, "an offer", "Dear colleague, ..."))
        except MachineError:  # refused at once: nothing comes back
            del wanted[recipient]
    environment.wait_until(lambda: len(environment.stored(BOUNCES)) >= len(wanted), f"{len(wanted)} bounces on disk")
    returned = {message.digest for message in environment.stored(BOUNCES)}
    environment.deliver(
        BOUNCES, *(letter(f"stranger@{AWAY}", sender, f"question {n}", "When is it?") for n in range(_STRANGERS))
    )
    others = {message.digest for message in environment.stored(BOUNCES)} - returned
    names = {"folder": "Returned", "processed": "Processed", "skipped": "Skipped"}
    folders = {key: f"{environment.row.store.prefix}{name}" for key, name in names.items()}
    with environment.imap(BOUNCES) as client:  # as a filter of the user's would
        client.create(folders["folder"])
        client.select("INBOX")
        client.copy("1:*", folders["folder"])
        client.store("1:*", "+FLAGS.SILENT", "(\\Deleted)")
        client.expunge()
    account = {**environment.account(BOUNCES), "bounces": {**folders, "create_folders": True}}
    monitor = environment.monitor("bounces", accounts={"main": account}, routes={}, notify="none")
    run = environment.run(monitor, "bounces", "scan", "--json")
    [row] = document_of(run)["accounts"]
    assert run.exit_code == 0, f"exit code {run.exit_code}: {row['words']} {row['error']}"
    seen = {kind: count for kind, count in row["kinds"].items() if count}
    assert seen == {"bounce": len(wanted), "other": _STRANGERS}, f"read as {seen}"
    listed = document_of(environment.run(monitor, "bounces", "list", "--json"))
    _compare(wanted, listed)
    now = environment.stored(BOUNCES)
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
def _submission(environment: Environment) -> Iterator[smtplib.SMTP]:
    door, context = environment.row.transport.submission, ssl.create_default_context(cafile=str(environment.ca_file))
    if door.security == "tls":
        client: smtplib.SMTP = smtplib.SMTP_SSL(HOST, door.port, context=context, timeout=20)
    else:
        client = smtplib.SMTP(HOST, door.port, timeout=20)
        client.starttls(context=context)
    with client:
        client.login(BOUNCES, PASSWORD)
        yield client


def diagnose(environment: Environment) -> str:
    """Looked at from outside: no crash, nothing critical, no open relay."""
    found = []
    for option in ((), ("--relay-test",)):
        arguments = ("diagnose", HOST, "--json", "--ca-file", str(environment.ca_file), *option)
        run = environment.run(environment.monitor("diagnose", notify="none"), *arguments)
        assert run.exit_code in (0, 1, 75), f"exit code {run.exit_code}: {run.stderr[-300:]}"
        failed = [one for one in document_of(run)["findings"] if one["status"] == "fail"]
        critical = [f"{one['id']}: {one['message']}" for one in failed if one["severity"] == "critical"]
        assert not critical, "; ".join(critical)
        relayed = {one["status"] for one in document_of(run)["findings"] if one["id"] == "smtp.open_relay"}
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


def all_well(environment: Environment, *arguments: str, monitor: Any = None) -> None:
    """Run a cycle; fail unless each step went well."""
    run = environment.check(monitor, *arguments)
    document_of(run)
    assert run.exit_code == 0 and not run.troubled, f"exit code {run.exit_code}: {all_words(run)}"  # noqa: PT018
    found = [one["id"] for step in run.document["steps"] for one in step["findings"] if one["status"] == "fail"]
    assert not found, f"all is well, and yet there are findings: {found}"
    done = {step["check"] for step in run.document["steps"] if step["status"] == "ok"}
    missing = {"smtp_auth", f"{environment.row.protocol}_auth", "send", "receive", "cleanup"} - done
    assert not missing, f"not done: {sorted(missing)}"


def words_of(run: Run, step_id: str) -> str:
    """Return all that a step said."""
    step = run.step(step_id)
    findings = [f"{one['message']} {one.get('fix') or ''}" for one in step["findings"]]
    return " ".join([step["message"] or "", step["advice"] or "", *findings])


def all_words(run: Run) -> str:
    """Return what the steps of a run said that did not go well."""
    return " | ".join(f"{name}: {words_of(run, name)}" for name in run.troubled)
