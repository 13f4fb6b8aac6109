"""The paper at full scale, in numbers: what a run costs stage by stage, and what was measured beside the
paper's results.

What is not measured yet gives no rows, and is pending in a `table`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import mean

from featlab.experiments import claims, reports
from featlab.experiments.presets import CONSTRUCTED, CONTROLS, MODELS, ROWS, RULES, Preset, cost
from featlab.experiments.reports import Report
from featlab.experiments.speed import GIGA, PETA

CIFAR10 = (50000, 10000)  # training and test images
GROUPS = {
    "standard model": MODELS[:2],
    "robust model": ("robust",),
    "D_R and D_NR": ("D_R", "D_NR"),
    "D_rand, D_other, D_det": tuple(RULES),
    "fresh models": tuple(f"student of {name}" for name in (*CONSTRUCTED, *CONTROLS)),
    "accuracies": tuple(f"accuracy of {name}" for name in ROWS),
}
# operations of a forward pass of an image of 3x32x32, as speed.flops counts them
FORWARD = {"resnet18": 1.11 * GIGA, "resnet50": 2.60 * GIGA}
PENDING = "pending"
Cell = tuple[float | None, ...]  # of a table: fractions, such as an accuracy on clean and on attacked images


def work(preset: Preset, forward: float, images: tuple[int, int] = CIFAR10) -> dict[str, float]:
    """Operations (10^15) of each stage, from the passes that it
    takes and the operations of one (speed.flops).
    """
    passes = cost(preset, *images)
    return {
        name: sum(passes.get(piece, 0) for piece in pieces) * forward / PETA
        for name, pieces in GROUPS.items()
    }


def variation(preset: Preset, *, epochs: int, inversion: int) -> Preset:
    """The preset with all trainings of so many epochs, and so many steps of robustify."""
    students = tuple((name, replace(recipe, epochs=epochs)) for name, recipe in preset.students)
    return replace(
        preset,
        student=replace(preset.student, epochs=epochs),
        defence=replace(preset.defence, epochs=epochs),
        students=students,
        inversion=(inversion, preset.inversion[1]),
    )


def runs_of(name: str) -> list[Report]:
    """The stored reports of a setting; none if it is still to be measured."""
    try:
        return reports.measured(name)
    except FileNotFoundError:
        return []


def result(name: str) -> dict:
    """results/NAME.json; empty if it is still to be measured."""
    path = reports.RESULTS / f"{name}.json"
    return reports.read(path) if path.exists() else {}


def origins(*names: str) -> str:
    """Where and when results/NAME.json were measured, a line each; nothing of what is pending."""
    found = {name: result(name).get("provenance") for name in names}
    return "\n".join(
        f"{name}: {p['date']}, {p['device']}, torch {p['torch']}" for name, p in found.items() if p
    )


def table(columns: Mapping[str, Mapping[str, Cell | str]], *, lacking: str = PENDING, head: str = "") -> str:
    """Column -> row -> cell as text, fractions in %; a cell that its column lacks is pending."""
    columns = {
        name: {row: cell if isinstance(cell, str) else percents(cell) for row, cell in cells.items()}
        for name, cells in columns.items()
    }
    rows = list(dict.fromkeys(row for cells in columns.values() for row in cells))
    widths = {
        name: max(len(name), len(lacking), *map(len, cells.values()), 0) + 3
        for name, cells in columns.items()
    }
    first = max(len(word) for word in (head, *rows))
    lines = [f"{head:<{first}}" + "".join(f"{name:>{widths[name]}}" for name in columns)]
    lines += [
        f"{row:<{first}}"
        + "".join(f"{cells.get(row, lacking):>{widths[name]}}" for name, cells in columns.items())
        for row in rows
    ]
    return "\n".join(lines)


def percents(fractions: Iterable[float | None]) -> str:
    """Accuracies as "63.8 / 27.2"; "-" for one that was not measured."""
    return " / ".join("-" if value is None else f"{100 * value:.1f}" for value in fractions)


def clean_and_attacked(row: Mapping) -> Cell:
    """A row's accuracies: on clean images, and under attack at the first radius."""
    return row["clean"], next(iter(row["attacked"].values()))


def speeds(kind: str) -> dict[str, str]:
    """Network and work -> images a second and share of the peak, in the fastest mode,
    on "cpu" or "cuda" (benchmarks/speed.py).
    """
    best: dict[str, dict] = {}
    for row in result(f"speed-{kind}").get("rows", []):
        name = f"{row['model']}, {row['work']}"
        best[name] = max(best.get(name, row), row, key=lambda one: one["images/s"])
    return {name: f"{row['images/s']:,} ({row['share']:.0%})" for name, row in best.items()}


def peers(network: str) -> dict[str, str]:
    """Library -> speed of its PGD over that of the authors' library, images fooled,
    mean length (benchmarks/attacks.py).
    """
    rows = result(f"attacks-{network}").get("rows", {})
    base = (rows.get("authors") or rows.get("authors' loop") or {}).get("image-steps/s")
    return {
        name: f"{r['image-steps/s'] / base:.1f} x, {r['fooled']:.1%}, {r['length']:.3f}"
        for name, r in rows.items()
    }


def precisions(preset: str) -> dict[str, str]:
    """Set and precision -> what the set achieves, how far it moves,
    the mean accuracy of its students (benchmarks/precision.py).
    """
    students, cells = students_of(preset), {}
    for row in result(f"precision-{preset}").get("rows", []):
        name, achieved = f"{row['set']}, {row['precision']}", "distance" if "distance" in row else "reached"
        cells[name] = (
            f"{achieved} {row[achieved]:.3f}, length {row['length']:.2f}, students {students[name]:.1%}"
        )
    return cells


def students_of(preset: str) -> dict[str, float]:
    """Set and precision -> the mean accuracy of the students of the set (benchmarks/precision.py)."""
    rows = result(f"precision-{preset}").get("rows", [])
    return {f"{row['set']}, {row['precision']}": mean(row["students"]) for row in rows}


def variants_of(setting: str, row: str) -> dict[str, Cell]:
    """Variant -> accuracy of one row, clean and at the first radius (python -m featlab sweep)."""
    report = result(f"{setting}-sweep-{row}-seed0")
    return {variant: clean_and_attacked(found) for variant, found in report.get("rows", {}).items()}


def appendix(setting: str) -> dict[str, Cell]:
    """The appendix's rows: clean / at the first radius;
    of D.6 on labels y / y + 1 (python -m featlab appendix).
    """
    report = result(f"{setting}-appendix-seed0")
    if not report:
        return {}
    rows = {name.replace(report["other"], "other network"): row for name, row in report["rows"].items()}
    cells = {name: clean_and_attacked(row) for name, row in rows.items()}
    strong = report["strengths"]
    cells |= {f"D_R, {steps}-step attack": (None, strong[steps]) for steps in ("1", "10", "100", "2500")}
    cells |= {f"D_R, on {name}": clean_and_attacked(row) for name, row in report["robustified"].items()}
    directions = report["directions"].items()
    return cells | {f"{name}, y / y + 1": (row["y"], row["y + 1"]) for name, row in directions}


def means(stored: Sequence[Report]) -> dict[str, Cell]:
    """Row -> measured accuracy, clean / under attack at the first radius, the mean over the seeds."""
    rows = reports.over_seeds(stored) if stored else {}
    means = {name: tuple(mean for mean, _, _ in row.values()) for name, row in rows.items()}
    return {name: means[name][:2] for name in ROWS if name in means}


def papers() -> dict[str, str]:
    """Row -> the paper's accuracies, clean / at l2 0.25; "-" where it gives none."""
    return {
        name: " / ".join("-" if v is None else f"{100 * v:.0f}" for v in claims.PAPER.get(name, (None, None)))
        for name in ROWS
    }


def agreements(reports: Sequence[Report]) -> dict[str, int]:
    """Claim, as (section) and its first words -> in how many of the runs it agrees."""
    count: dict[str, int] = {}
    for claim in (claim for report in reports for claim in report["claims"]):
        words = f"({claim['section']}) {claim['claim'].split(':')[0].rstrip('.')}"
        count[words] = count.get(words, 0) + claim["agrees"]
    return count
