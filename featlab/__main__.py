"""The command line over the same functions: python -m featlab reproduce."""

import argparse
import os
import sys
from pathlib import Path

from featlab import __version__
from featlab.command import endings
from featlab.command.endings import TIME_IS_UP
from featlab.experiments.registry import EXPERIMENTS
from featlab.inputs import options


def _measure(arguments: argparse.Namespace) -> int:
    """Run one experiment; what it needs is loaded only now."""
    from featlab.command import handler

    return handler.measure(arguments)


def _say_ledger(_arguments: argparse.Namespace) -> int:
    """Print the ledger of the stored results."""
    from featlab.experiments.ledger import ledger

    print(ledger())
    return 0


def parser() -> options.Parser:
    """The commands, one for each experiment, all with the same options."""
    top = options.Parser(
        prog="python -m featlab",
        description="Run the paper: adversarial examples are not bugs, they are features.",
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="command")
    for experiment in EXPERIMENTS.values():
        command = commands.add_parser(experiment.name, help=experiment.help)
        command.set_defaults(run=_measure, experiment=experiment.name)
        if experiment.row:
            command.add_argument(
                "--row", type=options.text, default="D_rand", help="the training set (default: D_rand)"
            )
        command.add_argument("--preset", type=options.text, help=experiment.presets)
        add_options(command)
    every = "every statement of the paper and of its debate, what was measured of it, and the verdict"
    commands.add_parser("ledger", help=every).set_defaults(run=_say_ledger)
    return top


def add_options(command: argparse.ArgumentParser) -> None:
    """What every experiment can be told."""
    data = "fashion-mnist (inside the package), fashion-mnist-full, cifar10, or a folder of images"
    command.add_argument("--data", type=options.text, help=data)
    size = "crop and resize the images of a folder to SIZE x SIZE, or to HEIGHTxWIDTH"
    command.add_argument("--size", type=options.size, help=size)
    command.add_argument("--seed", type=options.seed, default=0)
    stop = "stop before 90s, 9m or 1.5h are over with exit status 75 (torchrun: 1); the same command goes on"
    command.add_argument("--stop-after", type=options.duration, metavar="TIME", help=stop)
    command.add_argument("--yes", action="store_true", help="begin although it takes long here")
    out = "folder for what is written (default: results/own)"
    command.add_argument("--out", type=options.folder, default=Path("results/own"), help=out)


def main(words: list[str] | None = None) -> int:
    """Run a command; whatever ends it leaves everything made so far in the store, and is said in one line."""
    return endings.status(lambda: run(sys.argv[1:] if words is None else words))


def run(words: list[str]) -> int:
    """The command that the words mean, in every process that torchrun started."""
    arguments = options.parsed(parser(), [*EXPERIMENTS, "ledger"], words)
    from featlab.engine import parallel
    from featlab.engine.clock import TimeIsUp

    try:
        with parallel.together():
            try:
                return arguments.run(arguments)
            except TimeIsUp:
                parallel.barrier()  # no process leaves before the first one has saved: torchrun would end it
                raise
    except TimeIsUp:
        endings.announce(
            "\nthe time is up; what was made is kept. Run the same command again: it goes on where it was."
        )
        return TIME_IS_UP
    except RuntimeError as error:  # out of the device's memory, or another process is gone
        if parallel.PLACE is None:
            raise
        raise RuntimeError(
            f"another process may have been lost; the same command goes on where it was. {error}"
        ) from error


if __name__ == "__main__":
    os.environ.setdefault("TQDM_MININTERVAL", "0.5")
    sys.exit(main())
