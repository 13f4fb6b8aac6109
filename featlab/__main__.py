"""The command line over the same functions: python -m featlab reproduce."""

import argparse
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from featlab import __version__


class OneBar:
    """A Store's progress as one bar over all the work left, in passes of images through the network, with the time left."""

    def __init__(self, costs: dict[str, float]):
        from tqdm import tqdm

        self.costs = dict(costs)
        form = "{percentage:3.0f}% {bar} {elapsed} so far, {remaining} left  {desc}"
        self.bar = tqdm(total=sum(costs.values()), bar_format=form, dynamic_ncols=True, file=sys.stderr)

    def __call__(self, items: Iterable, label: str, total: int) -> Iterator:
        """Show that `label` is being made."""
        share = self.costs.pop(label, 0)
        self.bar.set_description_str(label)
        for item in items:
            yield item
            self.bar.update(share / total)

    def settle(self, label: str) -> None:
        """What was loaded instead of made is no longer work left."""
        self.bar.total -= self.costs.pop(label, 0)
        self.bar.refresh()


def reproduce(arguments: argparse.Namespace) -> int:
    """The evidence of sections 3.1 and 3.2, as json and as a page."""
    from featlab import page
    from featlab.reproduce import Lab, cost
    from featlab.results import Store, write_json

    lab = Lab(arguments.preset, seed=arguments.seed)
    chosen = lab.preset
    train, test = lab.data
    bar = OneBar(cost(chosen, len(train), len(test)))
    lab.store = Store(progress=bar)
    for piece in lab.pieces():
        bar.settle(piece)
    bar.bar.close()
    report = lab.report()
    name = f"{chosen.data}-{arguments.preset}-seed{arguments.seed}"
    written = [arguments.out / f"{name}.{ending}" for ending in ("json", "html")]
    write_json(written[0], report)
    page.write(written[1], report, lab)
    print(text_table(report))
    print("wrote " + " and ".join(str(path) for path in written))
    return 0


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
    for command in (run, study, look, doubts, trend, converse):
        command.add_argument("--preset", default="laptop", help="laptop (default) or quick; for figure3 and converse also cifar10")
        command.add_argument("--seed", type=int, default=0)
        command.add_argument("--out", type=Path, default=Path("results/own"), help="folder for what is written (default: results/own)")
    return top


def main(words: list[str] | None = None) -> int:
    """Run a command; Ctrl-C leaves everything made so far in the store."""
    arguments = parser().parse_args(words)
    try:
        return arguments.run(arguments)
    except KeyboardInterrupt:
        print("\ninterrupted; what was made is kept. The same command goes on where it was.", file=sys.stderr)
        return 130
    except (ValueError, OSError) as error:
        print(f"featlab: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    os.environ.setdefault("TQDM_MININTERVAL", "0.5")
    sys.exit(main())
