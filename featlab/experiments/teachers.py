"""Which model's adversarial examples teach most?

D_rand and D_det from teachers trained for longer, and pushed further (section 3.2).
"""

from dataclasses import replace
from functools import partial
from typing import Any

from featlab.attacks import L2
from featlab.engine import devices, freezing
from featlab.experiments.lab import Lab
from featlab.experiments.plan import Piece
from featlab.experiments.presets import PRESETS as ALL
from featlab.experiments.presets import Preset, cost
from featlab.experiments.reports import Report, report_of
from featlab.experiments.variants import piece_of, variants
from featlab.training import accuracy, predict
from featlab.types import Dataset, pixels

__all__ = ["KIND", "PRESETS", "begin", "pieces", "report", "text_table"]
begin = Lab
# in the others the standard model teaches
PRESETS = {name: preset for name, preset in ALL.items() if preset.teacher}
KIND = "preset with a teacher of its own,"
EPOCHS = (1, 2, 4, 8)
_RADII = (1.5, 2.5)


def variant(preset: Preset, epochs: int, eps: float) -> Preset:
    """The same experiment with a teacher trained for `epochs` and its images pushed as far as `eps`,
    l2 in pixels of [0, 1].
    """
    teacher, push = replace(preset.model_recipe("teacher"), epochs=epochs), replace(preset.push, ball=L2(eps))
    return replace(preset, teacher=teacher, push=push)


def teacher_labs(lab: Lab) -> dict[tuple[int, float], Lab]:
    """A lab for each variant, by its epochs and radius."""
    tried = {(epochs, eps): variant(lab.preset, epochs, eps) for eps in _RADII for epochs in EPOCHS}
    made = variants(lab, {f"teacher of {epochs} epochs at {eps}": p for (epochs, eps), p in tried.items()})
    return dict(zip(tried, made.values(), strict=True))


def depth(lab: Lab, made: Dataset) -> float:
    """The mean probability of t that the teacher sees in the images made for t."""
    network = freezing.frozen(lab.model("teacher"))
    parts = zip(made.images.split(500), made.labels.split(500), strict=True)
    total = sum(network(pixels(x)).softmax(1).gather(1, t[:, None]).sum().item() for x, t in parts)
    return total / len(made)


def measure_teachers(lab: Lab) -> dict:
    """One variant: the teacher's accuracy, how deep its examples go,
    how many an independent model agrees with, what students learn.
    """
    _, test = lab.data
    row: dict[str, Any] = {"teacher": accuracy(lab.model("teacher"), test)}
    for name in ("D_rand", "D_det"):
        made = lab.dataset(name)
        others = predict(lab.model("standard"), made.images) == made.labels
        row[name] = {
            "reached": round(made.report["reached"].float().mean().item(), 4),
            "depth": round(depth(lab, made), 4),
            "transferred": round(others.float().mean().item(), 4),
            "student": accuracy(lab.student(name), test),
        }
    return row


def _value(lab: Lab, part: Lab, epochs: int, eps: float) -> dict:
    """One variant, measured once."""
    setting = f"teachers {part.identity} {devices.describe_precision()}"
    found = lab.store.value(f"teacher of {epochs} epochs at {eps}", setting, lambda: measure_teachers(part))
    part.last = None  # the set is not needed any more
    return found


def pieces(lab: Lab) -> list[Piece]:
    """Everything that `report` needs; what variants share is made once."""
    train, test = (len(part) for part in lab.data)
    standard = cost(lab.preset, train, test)["standard"]
    found = [Piece("standard", standard, partial(lab.make, "standard"))]
    seen = set()
    for (epochs, eps), part in teacher_labs(lab).items():
        name, once = f"teacher of {epochs} epochs at {eps}", cost(part.preset, train, test)
        for piece in ("teacher", "D_rand", "student of D_rand", "D_det", "student of D_det"):
            if part.setting(piece) not in seen:
                found.append(Piece(piece_of(piece, name), once[piece], partial(part.make, piece)))
            seen.add(part.setting(piece))
        whole = 3 * test + 4 * train
        found.append(Piece(name, whole, partial(_value, lab, part, epochs, eps)))
    return found


def report(lab: Lab) -> Report:
    """All variants: what results/*-teachers-*.json holds."""
    rows = {
        f"{epochs} epochs, pushed by {eps}": {"epochs": epochs, "eps": eps, **_value(lab, part, epochs, eps)}
        for (epochs, eps), part in teacher_labs(lab).items()
    }
    return report_of(lab.preset, lab.seed, rows)


def text_table(report: Report) -> str:
    """The variants for a terminal."""
    lines = [f"{'teacher':<28}{'D_rand':>8}{'D_det':>8}   % of real test images that students get right"]
    for name, row in report["rows"].items():
        right = "".join(f"{100 * row[made]['student']:8.1f}" for made in ("D_rand", "D_det"))
        lines.append(f"{name:<28}{right}")
    return "\n".join(lines)
