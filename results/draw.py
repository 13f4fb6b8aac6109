"""Draw the README's picture from the stored results: python results/draw.py (needs kaleido and a Chromium or Chrome)."""

from pathlib import Path

from featlab import plots, results

ROWS = ("D", "robust", "D_R", "D_NR", "D_rand", "D_det", "D_rand control", "D_det control")


def main() -> None:
    rows = results.over_seeds(results.measured("fashion-mnist-laptop"))
    groups = {name.replace(" control", "<br>control"): rows[name] for name in ROWS}
    figure = plots.bars(groups, title="Trained in the ordinary way on each set, tested on real images", chance=0.1)
    figure.update_layout(width=980, height=430).write_image(Path(__file__).with_name("fashion-mnist-laptop.png"), scale=2)


if __name__ == "__main__":
    main()
