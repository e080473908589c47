"""The command line: `cali COMMAND`. A command is imported when it is called, so that `cali --help` starts at once."""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
from types import FrameType
from typing import Any, Final

import click

from core.errors import CaliError

# name -> (module, attribute, one line of help). The help stands here so that listing commands imports none of them.
COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "analyze": ("cali.commands.analyze", "analyze", "Find incidents and their causes in log files."),
    "ask": ("cali.commands.ask", "ask", "Answer a question about the logs that were analysed."),
    "completion": ("cali.commands.completion", "completion", "Print the shell completion script."),
    "demo": ("cali.commands.demo", "demo", "Simulate an incident in a small shop and analyse it."),
    "doctor": ("cali.commands.doctor", "doctor", "Say what is configured, what answers, what is missing."),
    "eval": ("cali.commands.eval", "eval_group", "Measure CALI on labelled incidents."),
    "memory": ("cali.commands.memory", "memory", "Past incidents, runbooks and postmortems."),
    "simulate": ("cali.commands.simulate", "simulate", "Write labelled logs of a simulated shop."),
    "templates": ("cali.commands.templates", "templates", "What the logs consist of."),
}

_LIBRARIES: Final = {
    # Polars' allocator (jemalloc) would keep what was freed until the kernel wants it, for several arenas: it counts
    # as ours until then.
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:500,muzzy_decay_ms:0,narenas:1",
    # The batches are small and threads of our own work on several at once: Polars' would only hand work to and fro.
    "POLARS_MAX_THREADS": "1",
    # Pydantic looks for plugins in the metadata of every installed package.
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
"""What libraries read from the environment when they are first imported; the user's own settings count."""


class LazyGroup(click.Group):
    """A group that imports a command when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][2]) for name in self.list_commands(ctx)])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="cali-log-insight", prog_name="cali")
def cli() -> None:
    """Find out why it failed: CALI reads logs, finds what is new or wrong in them, and names the cause with the lines
    that show it.

    \b
    First minute:   cali demo
    Your own logs:  cali analyze app.log
    """


def _interrupt(signum: int, frame: FrameType | None) -> None:
    """Ends the work in order, on Ctrl-C and on SIGTERM alike.

    Python drops an exception that a signal raises inside a destructor or a callback ("Exception ignored in ..."), and
    the work would go on. Three seconds later it is raised again, unless the process ended.
    """
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _interrupt)
        signal.setitimer(signal.ITIMER_REAL, 3.0)
    raise KeyboardInterrupt


def main() -> None:
    """Entry point. Exit codes: 0 done, 1 incidents found (`--exit-code`), 2 bad usage or input, 3 a service failed,
    4 a threshold was missed, 130 interrupted."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    # Short-lived and column-oriented: few cycles are made, and looking for them costs a tenth of a small run.
    gc.set_threshold(500_000, 50, 50)
    for name, value in _LIBRARIES.items():
        os.environ.setdefault(name, value)
    code = run(sys.argv[1:])
    # What is left goes with the process: to look through it for cycles at exit costs a fifth of a small run.
    gc.freeze()
    sys.exit(code)


def run(arguments: list[str], **context: Any) -> int:
    """Runs one command and returns its exit code."""
    try:
        result = cli.main(args=arguments, prog_name="cali", standalone_mode=False, **context)
        return result if isinstance(result, int) else 0
    except CaliError as error:
        from report.text import printable  # what a server or a file name says is not obeyed by the terminal

        click.echo("Error: " + "\n".join(map(printable, str(error).split("\n"))), err=True)
        return error.exit_code
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        if hasattr(signal, "setitimer"):
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        click.echo("interrupted; the learned state is as it was before", err=True)
        return 130
    except BrokenPipeError:
        # The reader (`| head`) went away. Python would complain again when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
