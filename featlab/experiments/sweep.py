"""Which recipe does the student of a constructed set need, or the robust model, and which construction the
set?

One row of the table, measured for variants of a preset that differ in one choice; what they have in common is
made once.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from featlab.experiments.lab import Lab
from featlab.experiments.plan import Piece
from featlab.experiments.presets import FOR_DATA, MATCHED, PRESETS, PUSHED, ROWS, Preset, cost
from featlab.experiments.reports import Report, report_of
from featlab.experiments.reproduce import needs
from featlab.experiments.variants import piece_of, variants
from featlab.inputs.checks import known
from featlab.training import Recipe

__all__ = ["FOR_DATA", "PRESETS", "begin", "pieces", "report", "text_table"]
begin = Lab
Change = dict[str, Any]  # field -> another value, or a factor
# what is varied around the recipe of the preset: factors of lr, weight_decay and epochs, values of the rest
CHANGES: tuple[Change, ...] = (
    {},
    *({"lr": factor} for factor in (0.125, 0.25, 0.5, 2)),
    {"augment": 0},
    {"augment": 4},
    {"average": 0.995},
    {"weight_decay": 4},
    {"epochs": 2},
    {"lr": 0.25, "augment": 0},
    {"lr": 0.25, "epochs": 2},
)
FACTORS = ("lr", "weight_decay", "epochs")
# D_R, D_NR: the last is the paper's
INVERSIONS: tuple[Change, ...] = ({"inversion": (300, 0.5)}, {"inversion": (1000, 0.1), "decay": False})
PUSHES: tuple[Change, ...] = ({"steps": 100, "step": 0.1},)  # D_rand, D_det: the paper's
# the architecture of all models of a variant
ANOTHER = {"cnn": "residual", "residual": "cnn", "resnet18": "resnet50"}
OWN = "as the preset has it"


def recipe_of(preset: Preset, row: str) -> Recipe:
    """The preset's own recipe for a row."""
    return preset.defence if row == "robust" else preset.recipe(row)


def recipes(preset: Preset, row: str) -> list[Recipe]:
    """The recipes that are tried for a row, the preset's own first."""
    own = recipe_of(preset, row)
    values = [
        {name: getattr(own, name) * v if name in FACTORS else v for name, v in change.items()}
        for change in CHANGES
    ]
    return list(dict.fromkeys(replace(own, **value) for value in values))


def variation_of(preset: Preset, row: str, recipe: Recipe) -> Preset:
    """The preset with another recipe for one row; all that the row's training set needs stays as it is."""
    if row == "D":
        return replace(preset, student=recipe)
    if row == "robust":
        return replace(preset, defence=recipe)
    return replace(preset, students=(*(pair for pair in preset.students if pair[0] != row), (row, recipe)))


def constructions(preset: Preset, row: str) -> dict[str, Preset]:
    """The preset with other ways to make the row's training set, by what differs."""
    changes: list[Change] = list(INVERSIONS) if row in MATCHED else []
    if row in PUSHED:
        changes = [{"push": replace(preset.push, **push)} for push in PUSHES]
    if preset.model in ANOTHER:
        changes.append({"model": ANOTHER[preset.model]})
    found = {}
    for change in changes:
        name = ", ".join(f"{field} {value}" for field, value in change.items())
        found[name] = replace(preset, **change)
    return found


def presets_of(preset: Preset, row: str) -> dict[str, Preset]:
    """All that is tried for a row, by what differs from the preset."""
    own, *others = recipes(preset, row)
    found = {OWN: preset}
    for recipe in others:
        differs = [field for field, value in asdict(recipe).items() if value != getattr(own, field)]
        name = ", ".join(f"{field} {getattr(recipe, field):g}" for field in differs)
        found[name] = variation_of(preset, row, recipe)
    return found | constructions(preset, row)


def variant_labs(lab: Lab, row: str) -> dict[str, Lab]:
    """A lab for each variant of a row."""
    return variants(lab, presets_of(lab.preset, known(row, ROWS, "row")), own=OWN)


def _sources(preset: Preset, row: str) -> tuple[str, ...]:
    """The models trained on D that the row needs."""
    source = {"D": "standard", "robust": "robust"}.get(row) or (MATCHED | PUSHED).get(row, ("teacher",))[0]
    return ("standard" if source == "teacher" and preset.teacher is None else source,)


def plan(lab: Lab, row: str) -> Iterator[tuple[str, Lab, str]]:
    """The name and the lab of each variant with each piece that no variant before it shares."""
    seen = set()
    for name, one in variant_labs(lab, row).items():
        for piece in (*_sources(one.preset, row), *needs(row)):
            shared = one.setting(piece) if " of " not in piece else f"{name} {piece}"
            if shared not in seen:
                yield name, one, piece
            seen.add(shared)


def pieces(lab: Lab, row: str) -> list[Piece]:
    """Everything that `report` needs; lab.store.values holds the rows of an unfinished one."""
    sizes = [len(part) for part in lab.data]

    def make(name: str, one: Lab, piece: str) -> object:
        made = one.make(piece)
        if piece.startswith("accuracy of"):
            lab.store.values[name], one.last = made, None  # the set is not needed any more
        return made

    return [
        Piece(piece_of(piece, name, OWN), cost(one.preset, *sizes)[piece], partial(make, name, one, piece))
        for name, one, piece in plan(lab, row)
    ]


def report(lab: Lab, row: str) -> Report:
    """All variants of one row: what results/*-sweep-*.json holds."""
    rows = {}
    for name, one in variant_labs(lab, row).items():
        recipe = asdict(recipe_of(one.preset, row))
        rows[name] = {"recipe": recipe, **one.row(row), "seconds": one.store.seconds}
    return report_of(lab.preset, lab.seed, rows, row=row)


def text_table(report: Report) -> str:
    """The variants for a terminal."""
    lines = []
    for name, one in report["rows"].items():
        cells = [one["clean"], *one["attacked"].values()]
        lines.append(f"{name:<52}" + "".join(f"{100 * cell:8.1f}" for cell in cells))
    radii = "".join(f"{'l2 ' + radius:>8}" for radius in report["rows"][OWN]["attacked"])
    head = f"{report['row']:<52}{'clean':>8}{radii}"
    return "\n".join([head, *lines])
