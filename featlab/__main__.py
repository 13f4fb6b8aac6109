"""The command line over the same functions: python -m featlab reproduce."""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from featlab import __version__

TIME_IS_UP = 75  # the exit status that asks to be run again (EX_TEMPFAIL)
NOT_CONFIRMED = 2


def work(arguments: argparse.Namespace, costs: Callable, pieces: Callable, what: str = "") -> tuple | None:
    """The lab that the options mean, after all pieces(lab) are made under one bar over costs(lab), and the file for its results.

    Until that is written (`finish`), a file beside it with "partial" in its name holds what was measured so far.
    """
    from featlab import results, runs
    from featlab.reproduce import Lab

    until = time.monotonic() + runs.seconds_of(arguments.stop_after)
    name, preset = runs.chosen(arguments.preset, arguments.data)
    lab = Lab(preset, seed=arguments.seed)
    todo, each = costs(lab), 0.0  # passes of images through the network, and seconds of one where that matters
    if arguments.stop_after or preset.model != "cnn":
        cost = runs.estimate(lab, sum(todo.values()))
        if not runs.confirmed(name, cost, arguments.yes):
            return None
        each = cost.seconds / sum(todo.values())
    bar = runs.OneBar(todo)
    lab.store = results.Store(progress=runs.Within(bar, until, lambda label, total: each * todo.get(label, 0) / max(total, 1)))
    path = arguments.out / f"{Path(preset.data).name}-{name}{what}-seed{arguments.seed}.json"
    with bar.bar:  # whatever is said next begins on a line of its own
        for piece in pieces(lab):
            bar.settle(piece)
            results.write_json(partial(path), lab.store.so_far())
    return lab, path


def partial(path: Path) -> Path:
    """Where an unfinished run leaves what it measured."""
    return path.with_name(path.name.replace("-seed", "-partial-seed"))


def finish(tables: list[str], path: Path, *more: Path) -> int:
    """After a report is written: say its tables and where they lie, last of all."""
    from featlab import parallel

    if not parallel.rank():
        partial(path).unlink(missing_ok=True)
    for line in (*tables, "wrote " + " and ".join(str(file) for file in (path, *more))):
        parallel.say(line)
    parallel.meet()  # no process leaves before the first one has written: torchrun would end it
    return 0


def reproduce(arguments: argparse.Namespace) -> int:
    """The evidence of sections 3.1 and 3.2, as json and as a page."""
    from featlab import parallel, results
    from featlab.reproduce import Lab, costs

    if (done := work(arguments, costs, Lab.pieces)) is None:
        return NOT_CONFIRMED
    lab, path = done
    report, pages = lab.report(), [path.with_suffix(".html")]
    results.write_json(path, report)
    try:
        from featlab import page

        page.write(pages[0], report, lab)
    except ModuleNotFoundError as error:  # a machine that only computes
        parallel.say(f"no page: {error.name} is not installed here")
        pages = []
    return finish([text_table(report), stage_table(report)], path, *pages)


def appendix(arguments: argparse.Namespace) -> int:
    """The further rows of appendix D, as json."""
    from featlab import appendix as room
    from featlab import results

    if (done := work(arguments, room.costs, room.pieces, "-appendix")) is None:
        return NOT_CONFIRMED
    lab, path = done
    report = room.report(lab)
    results.write_json(path, report)
    return finish([room.text_table(report)], path)


def sweep(arguments: argparse.Namespace) -> int:
    """Variants of one row, as json."""
    from featlab import results
    from featlab import sweep as room

    row = arguments.row
    costs, pieces = (lambda lab: room.costs(lab, row)), (lambda lab: room.pieces(lab, row))
    if (done := work(arguments, costs, pieces, f"-sweep-{row.replace(' ', '-')}")) is None:
        return NOT_CONFIRMED
    lab, path = done
    report = room.report(lab, row)
    results.write_json(path, report)
    return finish([room.text_table(report)], path)


def teachers(arguments: argparse.Namespace) -> int:
    """Which teacher's adversarial examples teach most, as json."""
    from featlab.reproduce import Lab
    from featlab.results import Store, bar, write_json
    from featlab.teachers import study

    lab = Lab(arguments.preset, seed=arguments.seed, store=Store(progress=bar))
    path = arguments.out / f"{lab.preset.data}-{arguments.preset}-teachers-seed{arguments.seed}.json"
    write_json(path, study(lab))
    print(f"wrote {path}")
    return 0


def spectra(arguments: argparse.Namespace) -> int:
    """What share of a standard and of a robust network's weight rests on non-robust features, as json."""
    from featlab.results import Store, bar, write_json
    from featlab.spectra import Spectra

    run = Spectra(arguments.preset, seed=arguments.seed, store=Store(progress=bar))
    path = arguments.out / f"{run.lab.preset.data}-{arguments.preset}-spectra-seed{arguments.seed}.json"
    write_json(path, run.report())
    print(f"wrote {path}")
    return 0


def debate(arguments: argparse.Namespace) -> int:
    """The debate's experiments, as json."""
    from featlab.doubts import study
    from featlab.reproduce import Lab
    from featlab.results import Store, bar, write_json

    lab = Lab(arguments.preset, seed=arguments.seed, store=Store(progress=bar))
    path = arguments.out / f"{lab.preset.data}-{arguments.preset}-debate-seed{arguments.seed}.json"
    write_json(path, study(lab))
    print(f"wrote {path}")
    return 0


def transfer(arguments: argparse.Namespace) -> int:
    """Section 3.3, as json: Figure 3, or its converse."""
    from featlab.converse import Converse
    from featlab.figure3 import Figure3
    from featlab.results import Store, bar, write_json

    figure = Figure3(arguments.preset, seed=arguments.seed, store=Store(progress=bar))
    measured = figure if arguments.what == "figure3" else Converse(figure)
    path = arguments.out / f"{figure.preset.lab.data}-{arguments.preset}-{arguments.what}-seed{arguments.seed}.json"
    write_json(path, measured.report())
    print(f"wrote {path}")
    return 0


def text_table(report: dict) -> str:
    """The rows for a terminal."""
    from featlab.claims import PAPER

    radii = list(report["rows"]["D"]["attacked"])
    lines = [f"{'trained on':<16}{'clean':>22}" + "".join(f"{'l2 ' + r:>22}" for r in radii) + f"{'paper':>12}"]
    for name, row in report["rows"].items():
        cells = [row["clean"], *row["attacked"].values()]
        words = "".join(f"{100 * c['value']:>8.1f} ({100 * c['low']:4.1f} to {100 * c['high']:4.1f})" for c in cells)
        paper = "/".join("-" if v is None else f"{100 * v:.0f}" for v in PAPER.get(name, (None, None)))
        lines.append(f"{name:<16}{words}{paper:>12}")
    n = report["rows"]["D"]["clean"]["n"]
    return "\n".join([*lines, f"% of {n:,} real test images, 95 % intervals; paper: CIFAR-10, ResNet-50, clean/l2 0.25"])


def stage_table(report: dict) -> str:
    """What each piece took, for a terminal."""
    lines = [f"{name:<34}{s['seconds']:>9.1f} s{s['pflop']:>11.4g}{s['share']:>9.1%}" for name, s in report["stages"].items()]
    total, work = (sum(s[key] for s in report["stages"].values()) for key in ("seconds", "pflop"))
    lines.append(f"{'all':<34}{total:>9.1f} s{work:>11.4g}")
    return "\n".join([f"{'made in':<34}{'':>11}{'10^15 op.':>11}{'share':>9}  of {report['peak']:,} x 10^9 a second", *lines])


def parser() -> argparse.ArgumentParser:
    """The commands and their options."""
    top = argparse.ArgumentParser(
        prog="python -m featlab", description="Run the paper: adversarial examples are not bugs, they are features."
    )
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="command")
    run = commands.add_parser(
        "reproduce", help="the evidence of sections 3.1 and 3.2: models, constructed datasets, retraining, accuracies"
    )
    run.set_defaults(run=reproduce)
    more = commands.add_parser("appendix", help="the further rows of appendix D: from noise, stronger attacks, robust test images ...")
    more.set_defaults(run=appendix)
    recipes = commands.add_parser("sweep", help="which recipe the student of a constructed set needs")
    recipes.set_defaults(run=sweep)
    recipes.add_argument("--row", default="D_rand", help="the training set (default: D_rand)")
    for command in (run, more, recipes):
        command.add_argument("--data", help="fashion-mnist (inside the package), fashion-mnist-full, cifar10, or a folder of images")
        command.add_argument(
            "--stop-after",
            metavar="TIME",
            help="stop before 90s, 9m or 1.5h are over with exit status 75 (torchrun: 1); the same command goes on",
        )
        command.add_argument("--yes", action="store_true", help="begin although it takes long here")
    study = commands.add_parser("teachers", help="which teacher's adversarial examples teach most (notebook 04)")
    study.set_defaults(run=teachers)
    look = commands.add_parser("spectra", help="how useful and how robust each unit of a network is (notebook 01)")
    look.set_defaults(run=spectra)
    doubts = commands.add_parser("debate", help="objections to the paper and later findings as experiments (notebook 06)")
    doubts.set_defaults(run=debate)
    trend = commands.add_parser("figure3", help="what architectures learn from D_det, and what transfers to them (notebook 05)")
    trend.set_defaults(run=transfer, what="figure3")
    converse = commands.add_parser("converse", help="what is learned from examples made not to transfer (notebook 05)")
    converse.set_defaults(run=transfer, what="converse")
    for command in (study, look, doubts):
        command.add_argument("--preset", default="laptop", help="laptop (default) or quick")
    for command in (trend, converse):
        command.add_argument("--preset", default="laptop", help="laptop (default), quick or cifar10")
    for command in (run, more, recipes):
        command.add_argument("--preset", help="laptop, quick; small, trial, ten-minutes or paper for cifar10 (default: by --data)")
    for command in (run, more, recipes, study, look, doubts, trend, converse):
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--out", type=Path, default=Path("results/own"), help="folder for what is written (default: results/own)")
    return top


def main(words: list[str] | None = None) -> int:
    """Run a command; whatever ends it leaves everything made so far in the store."""
    arguments = parser().parse_args(words)
    from featlab import parallel
    from featlab.clock import TimeIsUp

    try:
        with parallel.together():
            try:
                return arguments.run(arguments)
            except TimeIsUp:
                parallel.meet()  # no process leaves before the first one has saved: torchrun would end it
                raise
    except TimeIsUp:
        print("\nthe time is up; what was made is kept. Run the same command again: it goes on where it was.", file=sys.stderr)
        return TIME_IS_UP
    except KeyboardInterrupt:
        print("\ninterrupted; what was made is kept. The same command goes on where it was.", file=sys.stderr)
        return 130
    except (ValueError, OSError, FloatingPointError, MemoryError) as error:
        print(f"featlab: {error}", file=sys.stderr)
    except RuntimeError as error:  # out of the device's memory, or another process is gone
        lost = "" if parallel.PLACE is None else "another process may have been lost; the same command goes on where it was. "
        print(f"featlab: {lost}{str(error).splitlines()[0]}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    os.environ.setdefault("TQDM_MININTERVAL", "0.5")
    sys.exit(main())
