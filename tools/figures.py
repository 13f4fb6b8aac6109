"""Figures for a lecturer's own slides, as svg and png: python -m tools.figures [FOLDER]

Needs kaleido and a Chromium or Chrome. All are drawn from what is stored or released.
"""

import sys
from pathlib import Path

import plotly.graph_objects as go

import featlab as fl
from featlab import plots
from featlab.experiments import reports

SETS = {
    "datasets": ("D", "robust", "D_R", "D_NR", "D_rand", "D_det"),
    "wrong-labels": ("D", "D_rand", "D_other", "D_det", "D_rand control", "D_det control"),
    "robust-from-data": ("D", "robust", "D_R", "D_NR"),
}


def figures() -> dict[str, go.Figure]:
    """Name -> figure."""
    stored = reports.over_seeds(reports.measured("fashion-mnist-laptop"))
    made = {}
    for name, shown in SETS.items():
        groups = {one.replace(" ", "<br>"): stored[one] for one in shown}
        made[name] = plots.bars(groups, title="Trained on ..., tested on real images", chance=0.1)
    made["flip"] = attacked()
    return made


def attacked(images: int = 8) -> go.Figure:
    """Real clothes and what an attack of length 1 makes of them, with what the released network says."""
    _, test = fl.load("fashion-mnist", device="cpu")
    model, some = fl.Lab("laptop").model("standard"), test[:images]
    moved = fl.PGD(fl.L2(1), steps=20)(model, some.pixels, some.labels)
    rows = {"real images": some.pixels, "attacked, l2 1": moved}
    said = {name: [test.classes[k] for k in fl.predict(model, x)] for name, x in rows.items()}
    return plots.samples(rows, said)


def write(folder: Path) -> None:
    """Every figure as svg and png, 980 pixels wide."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures().items():
        for kind in ("svg", "png"):
            figure.update_layout(width=980, height=430).write_image(folder / f"{name}.{kind}", scale=2)
    print(f"wrote {', '.join(figures())} to {folder}")


if __name__ == "__main__":
    write(Path(sys.argv[1] if len(sys.argv) > 1 else "build/figures"))
