"""Which recipe does the student of a constructed set need, or the robust model? The same set, trained on with several recipes."""

from dataclasses import asdict, replace

from featlab.presets import Preset
from featlab.recipes import Recipe
from featlab.reproduce import Lab
from featlab.results import Store, provenance

# what is varied around the recipe of the preset: factors of lr, weight_decay and epochs, values of the rest
CHANGES = (
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


def recipe_of(preset: Preset, row: str) -> Recipe:
    """The preset's own recipe for a row."""
    return preset.defence if row == "robust" else preset.recipe(row)


def recipes(preset: Preset, row: str) -> list[Recipe]:
    """The recipes that are tried for a row, the preset's own first."""
    own = recipe_of(preset, row)
    values = [{name: getattr(own, name) * v if name in FACTORS else v for name, v in change.items()} for change in CHANGES]
    return list(dict.fromkeys(replace(own, **value) for value in values))


def variant(preset: Preset, row: str, recipe: Recipe) -> Preset:
    """The preset with another recipe for one row; all that the row's training set needs stays as it is."""
    if row == "robust":
        return replace(preset, defence=recipe)
    return replace(preset, students=(*(pair for pair in preset.students if pair[0] != row), (row, recipe)))


def study(preset: Preset, row: str, *, seed: int = 0, store: Store | None = None) -> dict:
    """All recipes for one row: what results/*-sweep-*.json holds."""
    tried = []
    for recipe in recipes(preset, row):
        lab = Lab(variant(preset, row, recipe), seed=seed, store=store)
        tried.append({"recipe": asdict(recipe), **lab.row(row)})
    return {"row": row, "seed": seed, "preset": str(preset), "provenance": provenance(), "tried": tried}


def text_table(report: dict) -> str:
    """The recipes for a terminal, those that differ from the first in what differs."""
    first, lines = report["tried"][0]["recipe"], []
    for one in report["tried"]:
        differs = ", ".join(f"{name} {value:g}" for name, value in one["recipe"].items() if value != first[name])
        cells = [one["clean"], *one["attacked"].values()]
        lines.append(f"{differs or 'as the preset has it':<34}" + "".join(f"{100 * c['value']:8.1f}" for c in cells))
    head = f"{report['row']:<34}{'clean':>8}" + "".join(f"{'l2 ' + radius:>8}" for radius in report["tried"][0]["attacked"])
    return "\n".join([head, *lines])
