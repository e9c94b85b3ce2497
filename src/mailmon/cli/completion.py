"""`mailmon completion SHELL`: a completion script."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command("completion", short_help="Print a shell completion script for bash, zsh or fish.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a completion script for SHELL: commands, options and their values.

    \b
    Installation:
      bash: mailmon completion bash > ~/.local/share/bash-completion/completions/mailmon
      zsh:  mailmon completion zsh > "${fpath[1]}/_mailmon"
      fish: mailmon completion fish > ~/.config/fish/completions/mailmon.fish
    """
    from mailmon.cli import cli

    kind = get_completion_class(shell)
    assert kind is not None, shell
    maker = kind(cli, {}, "mailmon", "_MAILMON_COMPLETE")
    # source() would first ask the shell that is installed here for its version; the script is for any machine.
    click.echo(maker.source_template % maker.source_vars())


COMMAND = completion
