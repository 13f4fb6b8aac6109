"""Which model's adversarial examples teach most? D_rand and D_det from teachers trained for longer, and pushed further (section 3.2)."""

from dataclasses import replace

from featlab import engine
from featlab.attacks import L2
from featlab.reproduce import Lab, entry
from featlab.results import provenance
from featlab.training import accuracy, predict
from featlab.types import Dataset, pixels

EPOCHS = (1, 2, 4, 8)
RADII = (1.5, 2.5)


def variant(lab: Lab, epochs: int, eps: float) -> Lab:
    """The same experiment with a teacher trained for `epochs` and its images pushed as far as `eps`."""
    preset = lab.preset
    teacher, push = replace(preset.teacher, epochs=epochs), replace(preset.push, ball=L2(eps))
    return Lab(replace(preset, teacher=teacher, push=push), seed=lab.seed, store=lab.store)


def depth(lab: Lab, made: Dataset) -> float:
    """The mean probability of t that the teacher sees in the images made for t."""
    network = engine.frozen(lab.model("teacher"))
    parts = zip(made.images.split(500), made.labels.split(500), strict=True)
    total = sum(network(pixels(x)).softmax(1).gather(1, t[:, None]).sum().item() for x, t in parts)
    return total / len(made)


def measure(lab: Lab) -> dict:
    """One variant: the teacher's accuracy, how deep its examples go, how many an independent model agrees with, what students learn."""
    _, test = lab.data
    row = {"teacher": entry(accuracy(lab.model("teacher"), test))}
    for name in ("D_rand", "D_det"):
        made = lab.dataset(name)
        others = predict(lab.model("standard"), made.images) == made.labels
        row[name] = {
            "reached": round(made.report["reached"].float().mean().item(), 4),
            "depth": round(depth(lab, made), 4),
            "transferred": round(others.float().mean().item(), 4),
            "student": entry(accuracy(lab.student(name), test)),
        }
    return row


def study(lab: Lab) -> dict:
    """All variants: what results/*-teachers-*.json holds."""
    rows = []
    for eps in RADII:
        for epochs in EPOCHS:
            part = variant(lab, epochs, eps)
            setting = f"teachers {part.preset} seed {lab.seed} {engine.describe_precision()}"
            measured = lab.store.value(f"teacher of {epochs} epochs at {eps}", setting, lambda part=part: measure(part))
            rows.append({"epochs": epochs, "eps": eps, **measured})
    return {"seed": lab.seed, "provenance": provenance(), "rows": rows}
