"""Which recipe does the student of a constructed set need, or the robust model, and which construction the set?

One row of the table, measured for variants of a preset that differ in one choice; what they have in common is made once.
"""

from collections.abc import Iterator
from dataclasses import asdict, replace

from featlab.presets import MATCHED, PUSHED, ROWS, Preset, cost
from featlab.recipes import Recipe
from featlab.reproduce import Lab, known, needed
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
INVERSIONS = ({"inversion": (300, 0.5)}, {"inversion": (1000, 0.1), "decay": False})  # D_R, D_NR: the last is the paper's
PUSHES = ({"steps": 100, "step": 0.1},)  # D_rand, D_det: the paper's
ANOTHER = {"cnn": "residual", "residual": "cnn", "resnet18": "resnet50"}  # the architecture of all models of a variant
OWN = "as the preset has it"


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
    if row in ("D", "robust"):
        return replace(preset, **{"student" if row == "D" else "defence": recipe})
    return replace(preset, students=(*(pair for pair in preset.students if pair[0] != row), (row, recipe)))


def constructions(preset: Preset, row: str) -> dict[str, Preset]:
    """The preset with other ways to make the row's training set, by what differs."""
    changes = list(INVERSIONS) if row in MATCHED else [{"push": replace(preset.push, **p)} for p in PUSHES] if row in PUSHED else []
    if preset.model in ANOTHER:
        changes.append({"model": ANOTHER[preset.model]})
    return {", ".join(f"{name} {value}" for name, value in change.items()): replace(preset, **change) for change in changes}


def variants(preset: Preset, row: str) -> dict[str, Preset]:
    """All that is tried for a row, by what differs from the preset."""
    own, *others = recipes(preset, row)
    differing = {recipe: {k: v for k, v in asdict(recipe).items() if v != getattr(own, k)} for recipe in others}
    named = {", ".join(f"{name} {value:g}" for name, value in differs.items()): recipe for recipe, differs in differing.items()}
    return {OWN: preset} | {name: variant(preset, row, recipe) for name, recipe in named.items()} | constructions(preset, row)


def labs(lab: Lab, row: str) -> dict[str, Lab]:
    """A lab for each variant, over the folder and the progress of one; its pieces are labelled with what differs."""

    def over(name: str) -> Store:
        return Store(lab.store.folder, lambda items, label, total: lab.store.progress(items, labelled(label, name), total))

    tried = variants(lab.preset, known(row, ROWS, "row"))
    found = {name: Lab(preset, seed=lab.seed, store=over(name)) for name, preset in tried.items()}
    for one in found.values():
        one.data = lab.data  # once in memory
    return found


def labelled(piece: str, name: str) -> str:
    """The label of a variant's piece."""
    return piece if name == OWN else f"{piece}, {name}"


def before(preset: Preset, row: str) -> tuple[str, ...]:
    """The models trained on D that the row needs."""
    source = {"D": "standard", "robust": "robust"}.get(row) or (MATCHED | PUSHED).get(row, ("teacher",))[0]
    return ("standard" if source == "teacher" and preset.teacher is None else source,)


def planned(lab: Lab, row: str) -> Iterator[tuple[str, Lab, str]]:
    """The name and the lab of each variant with each piece that no variant before it shares."""
    seen = set()
    for name, one in labs(lab, row).items():
        for piece in (*before(one.preset, row), *needed(row)):
            shared = one.setting(piece) if " of " not in piece else f"{name} {piece}"
            if shared not in seen:
                yield name, one, piece
            seen.add(shared)


def costs(lab: Lab, row: str) -> dict[str, float]:
    """Passes of images through the network of each piece, for the bar (reproduce.cost)."""
    sizes = [len(part) for part in lab.data]
    return {labelled(piece, name): cost(one.preset, *sizes)[piece] for name, one, piece in planned(lab, row)}


def pieces(lab: Lab, row: str) -> Iterator[str]:
    """Make or load every piece of `report`, and yield its label; lab.store.values holds the rows."""
    for name, one, piece in planned(lab, row):
        made = one.make(piece)
        if piece.startswith("accuracy of"):
            lab.store.values[name], one.last = made, None  # the set is not needed any more
        yield labelled(piece, name)


def report(lab: Lab, row: str) -> dict:
    """All variants of one row: what results/*-sweep-*.json holds."""
    tried = [
        {"differs": name, "recipe": asdict(recipe_of(one.preset, row)), **one.row(row), "seconds": one.store.seconds}
        for name, one in labs(lab, row).items()
    ]
    return {"row": row, "seed": lab.seed, "preset": str(lab.preset), "provenance": provenance(), "tried": tried}


def text_table(report: dict) -> str:
    """The variants for a terminal."""
    lines = []
    for one in report["tried"]:
        cells = [one["clean"], *one["attacked"].values()]
        lines.append(f"{one['differs']:<52}" + "".join(f"{100 * c['value']:8.1f}" for c in cells))
    head = f"{report['row']:<52}{'clean':>8}" + "".join(f"{'l2 ' + radius:>8}" for radius in report["tried"][0]["attacked"])
    return "\n".join([head, *lines])
