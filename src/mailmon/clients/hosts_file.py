"""Which addresses does this machine's hosts file give a name? (hosts(5))"""

from __future__ import annotations

from pathlib import Path

HOSTS_FILE = Path("/etc/hosts")
MAX_BYTES = 1 << 20


def addresses_of(host: str, file: Path = HOSTS_FILE) -> tuple[str, ...]:
    """Return the addresses of a name, () where the file does not know it or cannot be read."""
    try:
        with file.open("rb") as opened:
            text = opened.read(MAX_BYTES).decode("utf-8", "replace")
    except OSError:
        return ()
    rows = (line.partition("#")[0].split() for line in text.splitlines())
    wanted = host.lower().rstrip(".")
    return tuple(dict.fromkeys(row[0] for row in rows if wanted in (name.lower() for name in row[1:])))
