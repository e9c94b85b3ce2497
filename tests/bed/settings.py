"""Directory, ports and user of a bed."""

import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

DOMAIN = "mail.test"
PASSWORD = "secret"
USER = f"monitor@{DOMAIN}"
LOOPBACK = "127.0.0.1"
PORT_NAMES = ("smtp", "submission", "smtps", "imap", "imaps", "pop3", "pop3s", "lmtp", "proxy", "dns")

# A unix socket's path ends at 107 bytes; Dovecot's longest one adds 27, and its temporary names some more.
_MAX_DIRECTORY_BYTES = 70
# The path is written into five configuration languages; none of these characters needs quoting in any of them.
_PLAIN_PATH = re.compile(r"[A-Za-z0-9_./+-]+")


class BedError(Exception):
    """The bed cannot do what was asked of it; the message says why."""


@dataclass(frozen=True)
class Settings:
    """Everything the configuration files are made from."""

    directory: Path
    ports: Mapping[str, int]
    users: int = 10
    penalty: bool = False

    @property
    def accounts(self) -> tuple[str, ...]:
        """Name the accounts that have a mailbox."""
        return ("monitor", "catchall", *(f"u{number:04d}" for number in range(self.users)))

    @property
    def tls(self) -> Path:
        """Name the directory of the certificates."""
        return self.directory / "tls"

    @property
    def ca_file(self) -> Path:
        """Name the certificate that signed the servers' certificates."""
        return self.tls / "ca.crt"

    def save(self) -> None:
        """Write bed.json, from which `load` finds the running bed again, and env.sh for a shell."""
        saved = asdict(self) | {"directory": str(self.directory), "ports": dict(self.ports)}
        write(self.directory / "bed.json", json.dumps(saved, indent=1) + "\n")
        values = {f"TB_{name.upper()}": str(port) for name, port in self.ports.items()}
        values |= {"TB_DIR": str(self.directory), "TB_CA": str(self.ca_file), "SSL_CERT_FILE": str(self.ca_file)}
        values |= {"TB_USER": USER, "TB_PASS": PASSWORD}
        write(self.directory / "env.sh", "".join(f"export {name}={value}\n" for name, value in values.items()))

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what `save` wrote. BedError if there is nothing."""
        try:
            saved = json.loads((directory / "bed.json").read_text())
        except FileNotFoundError as error:
            raise BedError(f"{directory}: no bed was started here") from error
        return cls(directory, saved["ports"], saved["users"], saved["penalty"])


def bed_directory() -> Path:
    """Make a directory that fits a bed: short, and searchable for the servers' users. The caller removes it."""
    directory = Path(tempfile.mkdtemp(prefix="bed-")).resolve()
    directory.chmod(0o755)
    return directory


def refuse_unfit(directory: Path) -> None:
    """Raise BedError when the servers could not work below this directory, which need not exist yet."""
    advice = "Use bed_directory()."
    if not _PLAIN_PATH.fullmatch(str(directory)):
        raise BedError(f"{directory}: a bed's path may hold only letters, digits and _ . / + -. {advice}")
    if len(os.fsencode(directory)) > _MAX_DIRECTORY_BYTES:
        raise BedError(f"{directory}: longer than {_MAX_DIRECTORY_BYTES} bytes, too long for unix sockets. {advice}")
    for path in (directory, *directory.parents):
        if path.exists() and not path.stat().st_mode & 0o001:
            raise BedError(f"{path}: not searchable (o+x) for the users postfix and dovecot. {advice}")


def write(path: Path, text: str, mode: int = 0o644) -> None:
    """Write a file with this mode, whatever the umask."""
    path.write_text(text)
    path.chmod(mode)


def make_directory(path: Path, mode: int = 0o755) -> Path:
    """Make a directory with this mode, whatever the umask."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(mode)
    return path
