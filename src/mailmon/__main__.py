"""Run the command as `python -m mailmon`."""

from mailmon.cli import main

main()
