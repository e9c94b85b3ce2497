"""Measures one command; a program of its own: `python -I -S launcher.py FIGURES COMMAND...`.

The peak memory that wait4 reports is never less than that of the process that started the command, so a small process
has to start it: this one imports next to nothing. The figures are a JSON file: seconds of wall clock, seconds of CPU of
the command and of what it waited for, peak memory in KiB, exit code.
"""

import os
import sys
import time


def main() -> None:
    """Run the command, write the figures, end with success whatever became of the command."""
    figures, *command = sys.argv[1:]
    started_s = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    wall_s = time.monotonic() - started_s
    cpu_s = usage.ru_utime + usage.ru_stime
    text = '{"wall_s": %.6f, "cpu_s": %.6f, "peak_kib": %d, "exit_code": %d}'
    with open(figures, "w") as file:
        file.write(text % (wall_s, cpu_s, usage.ru_maxrss, os.waitstatus_to_exitcode(status)))


if __name__ == "__main__":
    main()
