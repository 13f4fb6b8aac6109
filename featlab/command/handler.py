"""One handler for every experiment: its preset, its cost, one bar over its pieces, its report."""

import argparse
import os
import time
from pathlib import Path

from featlab.command import runs
from featlab.command.endings import USAGE
from featlab.engine import parallel
from featlab.experiments import reports
from featlab.experiments.lab import Lab
from featlab.experiments.plan import Piece, lab_of
from featlab.experiments.registry import EXPERIMENTS, Experiment
from featlab.experiments.reports import Report
from featlab.experiments.store import Store
from featlab.inputs import options


def measure(arguments: argparse.Namespace) -> int:
    """Make every piece of an experiment and write its report; the exit status.

    Until the report is written, a file beside it with "partial" in its name holds what was measured so far.
    """
    until = time.monotonic() + runs.seconds_of(arguments.stop_after)
    experiment = EXPERIMENTS[arguments.experiment]
    room, about = experiment.room, subject(experiment, arguments)
    name, preset = runs.choose_preset(arguments.preset, arguments.data, room)
    path = path_of(arguments, lab_of(preset).data, f"{name}{suffix(experiment, *about)}")
    run = room.begin(preset, seed=arguments.seed, size=arguments.size)
    lab = runs.check_options(lab_of(run))
    lab.store = Store(released=False)  # what a command measures is made here
    pieces = room.pieces(run, *about)
    each = 0.0  # seconds of a pass, where that matters
    if arguments.stop_after or lab.preset.model != "cnn":
        passes = sum(piece.passes for piece in pieces)
        cost = runs.forecast(lab, passes)
        if not runs.confirm(name, cost, arguments.yes):
            return USAGE
        each = cost.seconds / passes
    make(pieces, lab, partial_path(path), until=until, each=each)
    report = room.report(run, *about)
    reports.write_once(path, report)
    pages = [write_page(path, report, lab)] if experiment.name == "reproduce" else []
    table = getattr(room, "text_table", None)
    return finish([table(report)] if table else [], path, *filter(None, pages))


def make(pieces: list[Piece], lab: Lab, path: Path, *, until: float, each: float) -> None:
    """Make the pieces under one bar until the time `until`, and write after each what was measured so far.

    each  seconds that a pass of an image through the network takes here
    """
    passes = {piece.name: piece.passes for piece in pieces}
    bar = runs.WorkBar(passes)
    deadline = runs.Deadline(bar, until, lambda name, items: each * passes.get(name, 0) / max(items, 1))
    lab.store = Store(progress=deadline, released=False)
    with bar.bar:  # whatever is said next begins on a line of its own
        for number, piece in enumerate(pieces):
            bar.resumed = f"Found {number} of {len(pieces)} pieces from an earlier run; going on." * bool(
                number
            )
            piece.make()
            bar.settle(piece.name)
            reports.write_once(path, lab.store.so_far())
    if not bar.making:
        parallel.say(f"All {len(pieces)} pieces were there from an earlier run.")


def subject(experiment: Experiment, arguments: argparse.Namespace) -> tuple[str, ...]:
    """The row that an experiment is about, if it is about one."""
    if not experiment.row:
        return ()
    from featlab.experiments.presets import ROWS

    return (options.known_option(arguments.row, ROWS, "row"),)


def suffix(experiment: Experiment, *about: str) -> str:
    """What the name of the file says of the experiment."""
    words = ("" if experiment.name == "reproduce" else experiment.name, *about)
    return "".join(f"-{word.replace(' ', '-')}" for word in words if word)


def path_of(arguments: argparse.Namespace, data: str, what: str) -> Path:
    """The file for the results, in a folder in which files can be written."""
    name = Path(os.path.abspath(Path(data).expanduser())).name  # of the folder "." too
    path = arguments.out / f"{name}-{what}-seed{arguments.seed}.json"
    return path if parallel.rank() else options.writable(path)


def partial_path(path: Path) -> Path:
    """Where an unfinished run leaves what it measured."""
    return path.with_name(path.name.replace("-seed", "-partial-seed"))


def write_page(path: Path, report: Report, lab: Lab) -> Path | None:
    """The report as a page beside it, or None on a machine that only computes."""
    try:
        from featlab.command import page

        page.write_html(path.with_suffix(".html"), report, lab)
    except ModuleNotFoundError as error:
        parallel.say(f"no page: {error.name} is not installed here")
        return None
    return path.with_suffix(".html")


def finish(tables: list[str], path: Path, *more: Path) -> int:
    """After a report is written: say where it lies, and its tables last of all."""
    if not parallel.rank():
        partial_path(path).unlink(missing_ok=True)
    for line in ("wrote " + " and ".join(str(file) for file in (path, *more)), *tables):
        parallel.say(line)
    parallel.barrier()  # no process leaves before the first one has written: torchrun would end it
    return 0
