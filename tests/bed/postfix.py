"""Postfix: how it accepts, routes and refuses mail, and the addresses that misbehave."""

import re
import shutil
import subprocess
import time
from pathlib import Path
from string import Template

from .postfix_templates import MAIN_CF, MASTER_CF
from .settings import DOMAIN, Settings, make_directory, write

_QUEUES = ("maildrop", "incoming", "active", "deferred", "hold")


def configure(settings: Settings) -> None:
    """Write Postfix's configuration, its maps and the directories it does not make itself."""
    directory = settings.directory
    shutil.chown(make_directory(directory / "pfdata"), "postfix", "postfix")
    # `postfix start-fg` makes the queue itself, but Dovecot puts its login socket into queue/private and starts
    # first: that one directory must be there with its final owner and mode
    make_directory(directory / "queue")
    shutil.chown(make_directory(directory / "queue" / "private", 0o700), "postfix", "root")
    postfix = make_directory(directory / "postfix")
    values = {"dir": directory, "domain": DOMAIN, **settings.ports}
    write(postfix / "main.cf", MAIN_CF.substitute(values))
    write(postfix / "master.cf", MASTER_CF.substitute(values))
    _write_maps(postfix, settings)


def reload(directory: Path) -> None:
    """Make the running Postfix read its configuration and certificate again."""
    _run("postfix", directory, "reload")


def set_parameter(directory: Path, name: str, value: str) -> None:
    """Change a line of main.cf; `reload` makes it count."""
    _run("postconf", directory, "-e", f"{name} = {value}")


def empty_queue(directory: Path, deadline_s: float = 5.0) -> bool:
    """Delete every queued mail, again until the queue stays empty; say whether it did.

    A mail on its way makes new ones (a DSN, the second hop of a loop), so one pass can leave some behind.
    """
    deadline = time.monotonic() + deadline_s
    while queued(directory):
        _run("postsuper", directory, "-d", "ALL")
        if time.monotonic() > deadline:
            return False
    return True


def queued(directory: Path) -> list[str]:
    """List the queue ids of the mail that waits or is being delivered."""
    found: set[str] = set()
    for queue in _QUEUES:
        found.update(path.name for path in (directory / "queue" / queue).rglob("*") if path.is_file())
    return sorted(found)


def _write_maps(postfix: Path, settings: Settings) -> None:
    names = [*settings.accounts, "bounce", "bounce-unknown"]
    write(postfix / "mailboxes", "".join(f"{name}@{DOMAIN} {name}\n" for name in names))
    aliases = [(alias, "monitor") for alias in ("postmaster", "abuse", "alias1")]
    # the last entry catches all, the real mailboxes too, unless each is an alias of itself
    aliases += [(name, name) for name in names] + [("", "catchall")]
    write(postfix / "aliases", "".join(f"{left}@{DOMAIN} {right}@{DOMAIN}\n" for left, right in aliases))
    write(postfix / "loop_alias", f"/^(.*)@loop\\.test$/ ${{1}}@{DOMAIN}\n")
    transport = Template("""\
/^bounce@/ error:5.2.2 mailbox full (testbed)
/^bounce-unknown@/ error:5.1.1 user unknown (testbed)
/\\+(d[0-9]+|blackhole|dup|defer)@$domain$$/ lmtp:inet:127.0.0.1:$proxy
/@loop\\.test$$/ smtp:[127.0.0.1]:$smtp
""")
    write(postfix / "transport", transport.substitute(settings.ports, domain=re.escape(DOMAIN)))
    rejections = "/^reject@/ 550 5.1.1 rejected at RCPT (testbed)\n"
    rejections += "/\\+grey@/ 450 4.2.0 greylisted, try again later (testbed)\n"
    write(postfix / "rcpt_access", rejections)
    write(postfix / "eod_access", "/\\+greyd@/ 451 4.7.1 try again later (testbed)\n")


def _run(program: str, directory: Path, *arguments: str) -> None:
    command = [f"/usr/sbin/{program}", "-c", str(directory / "postfix"), *arguments]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
