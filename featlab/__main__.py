"""The command line over the same functions: python -m featlab reproduce."""

import argparse
import os
import sys
from pathlib import Path

from featlab import __version__
from featlab.command import endings, without_make
from featlab.command.endings import TIME_IS_UP
from featlab.experiments.registry import EXPERIMENTS
from featlab.inputs import options

LAB, TEST, LEDGER = "lab", "test", "ledger"


def _measure(arguments: argparse.Namespace) -> int:
    """Run one experiment; what it needs is loaded only now."""
    from featlab.command import handler

    return handler.measure(arguments)


def _measure_together(arguments: argparse.Namespace) -> int:
    """Run one experiment in every process that torchrun started."""
    from featlab.engine import parallel
    from featlab.engine.clock import TimeIsUp

    try:
        with parallel.together():
            try:
                return _measure(arguments)
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


def _prog() -> str:
    """How this command was begun: `featlab`, where it is installed, or `python -m featlab`."""
    name = Path(sys.argv[0]).stem
    return "featlab" if name == "featlab" else "python -m featlab"


def _say_ledger(_arguments: argparse.Namespace) -> int:
    """Print the ledger of the stored results."""
    from featlab.experiments.ledger import ledger

    print(ledger())
    return 0


def parser() -> options.Parser:
    """The commands: one for each experiment, all with the same options; and `lab` and `test`."""
    top = options.Parser(
        prog=_prog(), description="Run the paper: adversarial examples are not bugs, they are features."
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="command")
    add_course(commands)
    for experiment in EXPERIMENTS.values():
        command = commands.add_parser(
            experiment.name,
            help=experiment.help,
            description=f"Measure {experiment.help}. Time: {experiment.time}. Ctrl-C at any moment; the same "
            "command goes on where it was.",
            epilog=f"example: {_prog()} {experiment.name} {experiment.example}",
        )
        command.set_defaults(run=_measure_together, experiment=experiment.name)
        if experiment.row:
            command.add_argument(
                "--row", type=options.text, default="D_rand", help="the training set (default: D_rand)"
            )
        command.add_argument("--preset", type=options.text, help=experiment.presets)
        add_options(command)
    every = "every statement of the paper and of its debate, what was measured of it, and the verdict"
    listed = commands.add_parser(
        LEDGER,
        help=every,
        description=f"Print {every}. Time: seconds.",
        epilog=f"example: {_prog()} {LEDGER}",
    )
    listed.set_defaults(run=_say_ledger)
    return top


def add_course(commands: argparse._SubParsersAction) -> None:
    """`lab` and `test`: what make does, where there is no make."""
    lab = commands.add_parser(
        LAB,
        help="open the course in JupyterLab (make lab)",
        description="Open the course in JupyterLab, on its first notebook. Time: seconds; the first time in "
        "a clone also the minutes of an installation into .venv.",
        epilog=f"example: {_prog()} {LAB} --no-browser",
    )
    lab.add_argument("--no-browser", action="store_true", help="print the address instead of opening it")
    lab.set_defaults(run=lambda arguments: without_make.lab(browser=not arguments.no_browser))
    test = commands.add_parser(
        TEST,
        help="run every test and every notebook (make test)",
        description="Run every test and every notebook of a clone. Time: 4 to 89 seconds a notebook "
        "(measured, one core), and minutes for the tests.",
        epilog=f"example: {_prog()} {TEST} notebooks/00-bug-or-feature.ipynb",
    )
    test.add_argument("what", nargs="*", metavar="FILE", help="only these files")
    test.set_defaults(run=lambda arguments: without_make.test(arguments.what))


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
    os.environ.setdefault("TQDM_MININTERVAL", "0.5")
    return endings.status(lambda: run(sys.argv[1:] if words is None else words))


def run(words: list[str]) -> int:
    """The command that the words mean."""
    arguments = options.parsed(parser(), [LAB, TEST, *EXPERIMENTS, LEDGER], words)
    return arguments.run(arguments)


if __name__ == "__main__":
    sys.exit(main())
