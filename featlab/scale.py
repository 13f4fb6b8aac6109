"""The paper at full scale, in numbers: what a run costs stage by stage, and what was measured beside the paper's results."""

from dataclasses import replace

from featlab import claims, results
from featlab.presets import CONSTRUCTED, CONTROLS, MODELS, ROWS, RULES, Preset, cost
from featlab.speed import GIGA, PETA

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


def work(preset: Preset, forward: float, images: tuple[int, int] = CIFAR10) -> dict[str, float]:
    """Operations (10^15) of each stage, from the passes that it takes and the operations of one (speed.flops)."""
    passes = cost(preset, *images)
    return {name: sum(passes.get(piece, 0) for piece in pieces) * forward / PETA for name, pieces in GROUPS.items()}


def varied(preset: Preset, *, epochs: int, inversion: int) -> Preset:
    """The preset with all trainings of so many epochs, and so many steps of robustify."""
    students = tuple((name, replace(recipe, epochs=epochs)) for name, recipe in preset.students)
    recipes = {"student": replace(preset.student, epochs=epochs), "defence": replace(preset.defence, epochs=epochs)}
    return replace(preset, students=students, inversion=(inversion, preset.inversion[1]), **recipes)


def stored(name: str) -> list[dict]:
    """The stored reports of a setting; none if it is still to be measured."""
    try:
        return results.measured(name)
    except FileNotFoundError:
        return []


def beside(reports: list[dict]) -> dict[str, tuple[str, str, str]]:
    """Row -> measured clean accuracy, measured accuracy under the first radius, the paper's; "pending" where nothing is measured yet."""
    measured, lines = results.over_seeds(reports) if reports else {}, {}
    for name in ROWS:
        bars = [f"{100 * mean:.1f}" for mean, _, _ in list(measured[name].values())[:2]] if name in measured else [PENDING] * 2
        paper = " / ".join("-" if v is None else f"{100 * v:.0f}" for v in claims.PAPER.get(name, (None, None)))
        lines[name] = (*bars, paper)
    return lines
