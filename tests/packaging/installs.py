"""Fresh installations by pip, uv and pipx, on every Python at hand: `make installs`.

Not among the tests, which send traffic to loopback only: installers fetch what mailmon needs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
PYTHONS = [f"python3.{minor}" for minor in range(11, 16)]
CONSTRAINTS = str(ROOT / "constraints.txt")
# Each waits for downloads, and some seconds for its demo.
AT_A_TIME = 3
Words = list[str]


def main() -> int:
    """Install in every way, try each installation, and say how it went; 1 when any of them does not work."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        tools = _environment(place / "tools", sys.executable)
        _run([tools, "-m", "pip", "install", "-c", CONSTRAINTS, "hatchling", "uv", "pipx"], place)
        _run([tools, "-m", "hatchling", "build", "-d", str(place / "dist")], place, cwd=ROOT)
        wheel, sdist = (str(next((place / "dist").glob(pattern))) for pattern in ("*.whl", "*.tar.gz"))
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            ways = _ways(place, tools, wheel, sdist)
            went_well = list(pool.map(lambda way: _install(place, *way), ways))
    return 0 if all(went_well) else 1


def _install(place: Path, name: str, commands: list[Words], program: str) -> bool:
    """Install in one way, try what was installed, and say how it went."""
    started_s = time.monotonic()
    try:
        for command in commands:
            _run(command, place)
        said = _try(program, place)
    except subprocess.CalledProcessError as exc:
        print(f"❌ {name}: {' '.join(exc.cmd)}\n{exc.stdout}{exc.stderr}")
        return False
    print(f"✓ {name}: {said}, {time.monotonic() - started_s:.0f} s")
    return True


def _ways(place: Path, tools: str, wheel: str, sdist: str) -> Iterator[tuple[str, list[Words], str]]:
    """Yield a name, the commands that install, and the program that they have installed."""
    pythons = {_version(path): path for name in PYTHONS if (path := shutil.which(name)) and _version(path)}
    pythons.setdefault(_version(sys.executable), sys.executable)
    for version, python in pythons.items():
        home = place / f"pip-{version}"
        install = [str(home / "bin" / "python"), "-m", "pip", "install", "-c", CONSTRAINTS, f"{wheel}[sandbox]"]
        yield f"pip, wheel, Python {version}", [[python, "-m", "venv", str(home)], install], str(home / "bin/mailmon")
    home = place / "pip-sdist"
    install = [
        str(home / "bin" / "python"),
        "-m",
        "pip",
        "install",
        "-c",
        CONSTRAINTS,
        f"{sdist}[sandbox,apprise,xlsx,dkim]",
    ]
    yield "pip, sdist, all extras", [[sys.executable, "-m", "venv", str(home)], install], str(home / "bin/mailmon")
    uv = str(Path(tools).with_name("uv"))
    # As the documentation has it: from the source, with whatever is newest.
    install = [uv, "tool", "install", "--python", sys.executable, f"{ROOT}[sandbox]"]
    yield "uv tool install, newest dependencies", [install], str(place / "uv-bin" / "mailmon")
    pipx = [str(Path(tools).with_name("pipx")), "install", f"{ROOT}[sandbox]"]
    yield "pipx install, newest dependencies", [pipx], str(place / "pipx-bin" / "mailmon")


def _try(program: str, place: Path) -> str:
    """Run what a new user runs first; the show of the demo ends with 0 only when all of it went as it should."""
    version = _run([program, "--version"], place)
    _run([program, "completion", "bash"], place)
    _run([program, "demo"], place)
    return version.strip()


def _environment(home: Path, python: str) -> str:
    _run([python, "-m", "venv", str(home)], home.parent)
    return str(home / "bin" / "python")


def _version(python: str) -> str:
    """Return the version of an interpreter, "" for a shim of one that is not there."""
    code = "import sys, ensurepip; print('%d.%d' % sys.version_info[:2])"
    return subprocess.run([python, "-c", code], capture_output=True, text=True, check=False).stdout.strip()


def _run(command: Words, place: Path, cwd: Path | None = None) -> str:
    own = {
        "HOME": str(place),
        # Of the certificates that pip trusts too: an installation may stand behind a proxy.
        "UV_NATIVE_TLS": "1",
        "UV_SYSTEM_CERTS": "1",
        "UV_TOOL_DIR": str(place / "uv"),
        "UV_TOOL_BIN_DIR": str(place / "uv-bin"),
        "PIPX_HOME": str(place / "pipx"),
        "PIPX_BIN_DIR": str(place / "pipx-bin"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    foreign = ("MAILMON_", "VIRTUAL_ENV", "PYTHON", "XDG_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    done = subprocess.run(
        command, cwd=cwd or place, env={**kept, **own}, capture_output=True, text=True, check=True, timeout=600
    )
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
