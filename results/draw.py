"""The README's pictures and tables from the stored results:
python results/draw.py (the pictures need kaleido and a Chromium or Chrome).
"""

from pathlib import Path

from featlab import plots
from featlab.experiments import reports, signal
from featlab.experiments.claims import PAPER
from featlab.experiments.presets import MEANING

SETTINGS = ("fashion-mnist-laptop", "cifar10-small")
SHOWN = ("D", "robust", "D_R", "D_NR", "D_rand", "D_det", "D_rand control", "D_det control")


def cell(mean: float, least: float, most: float) -> str:
    """'88.3 (87.9 to 88.6)'"""
    return f"{100 * mean:.1f} ({100 * least:.1f} to {100 * most:.1f})"


def table(setting: str) -> str:
    """The rows as Markdown: mean over the seeds, least to greatest, the paper's numbers beside."""
    rows = reports.over_seeds(reports.measured(setting))
    lines = [
        "| trained on | what it is | " + " | ".join(rows["D"]) + " | the paper: clean / l2 0.25 |",
        "|---|---|" + "---:|" * (len(rows["D"]) + 1),
    ]
    for name in rows:
        paper = " / ".join("–" if v is None else f"{100 * v:.0f}" for v in PAPER.get(name, (None, None)))
        cells = " | ".join(cell(*bar) for bar in rows[name].values())
        lines.append(f"| {name} | {MEANING[name]} | {cells} | {paper} |")
    return "\n".join(lines)


def picture() -> None:
    """fashion-mnist-laptop.png beside this file."""
    rows = reports.over_seeds(reports.measured("fashion-mnist-laptop"))
    groups = {name.replace(" control", "<br>control"): rows[name] for name in SHOWN}
    figure = plots.bars(groups, title="Normal training on each set (robust: adversarial training on D), " 
        "tested on real images", chance=0.1)
    picture = Path(__file__).with_name("fashion-mnist-laptop.png")
    figure.update_layout(width=980, height=430).write_image(picture, scale=1.5)


def signals() -> None:
    """fashion-mnist-laptop-signal.png beside this file, once there is something to draw."""
    if not list(reports.RESULTS.glob("fashion-mnist-laptop-signal-seed*.json")):
        print("no signals are stored yet: python -m featlab signal --out results")
        return
    figure = plots.signal.signals(signal.figure_spans(reports.measured("signal")))
    figure.write_image(Path(__file__).with_name("fashion-mnist-laptop-signal.png"), scale=1.5)


if __name__ == "__main__":
    print(*map(table, SETTINGS), sep="\n\n")
    picture()
    signals()
