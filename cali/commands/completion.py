"""`cali completion SHELL`: the completion script of a shell."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of SHELL.

    \b
    bash:  eval "$(cali completion bash)"     in ~/.bashrc
    zsh:   eval "$(cali completion zsh)"      in ~/.zshrc
    fish:  cali completion fish > ~/.config/fish/completions/cali.fish
    """
    from cali.main import cli

    script = get_completion_class(shell)
    assert script is not None  # click ships all three
    click.echo(script(cli, {}, "cali", "_CALI_COMPLETE").source())
