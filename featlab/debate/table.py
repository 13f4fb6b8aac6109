"""One table at the end: claim, evidence for, evidence against, what this lab measured;
every number is read from the stored results.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from featlab.inputs.markup import escaped

Span = tuple[float, float, float]
WORST = "the worst of all"


def span(studies: Sequence[dict], piece: str, *path: str) -> Span:
    """A measured number over the seeds, (mean, least, greatest), by its path inside a piece."""
    values = []
    for study in studies:
        found = study["rows"][piece]
        for key in path:
            found = found[key]
        values.append(found)
    return sum(values) / len(values), min(values), max(values)


def percent(bar: Span) -> str:
    """'67 % (64 to 70)', or '16 %' where nothing varies"""
    mean, least, most = (100 * v for v in bar)
    if least == most:
        return f"{mean:.0f} %"
    return f"{mean:.0f} % ({least:.0f} to {most:.0f})"


def in_points(bar: Span) -> str:
    """'20.5 points (18.2 to 22.1)'"""
    mean, least, most = (100 * v for v in bar)
    return f"{mean:.1f} points ({least:.1f} to {most:.1f})"


def toy(studies: Sequence[dict], n: int, noise: float, column: str) -> Span:
    """A cell of the squares' table over the seeds."""
    values = [
        row[column]
        for s in studies
        for row in s["rows"]["squares"]["rows"]
        if (row["n"], row["noise"]) == (n, noise)
    ]
    return sum(values) / len(values), min(values), max(values)


@dataclass(frozen=True)
class Row:
    """A claim of the debate and how the stored results speak to it;
    each of the three is a function of the seeds' studies.
    """

    claim: str
    favour: Callable[[Sequence[dict]], str]
    against: Callable[[Sequence[dict]], str]
    measured: Callable[[Sequence[dict]], str]


def _leak(s: Sequence[dict], name: str) -> str:
    """The leakage probe's accuracy on real images."""
    return percent(span(s, "leakage", "eps", "1.5", name, "right"))


def differences(s: Sequence[dict], radius: str, attack: str) -> Span:
    """What D_R gains over D under an attack of an l2 radius in pixels of [0, 1]."""
    return span(s, f"attacks {radius}", "gain", attack)


def usual_attack(s: Sequence[dict]) -> str:
    """The name of the attack used to evaluate: the first of them."""
    return next(iter(s[0]["rows"]["attacks 1"]["rows"]))


def shift_row(s: Sequence[dict], model: str) -> str:
    """A model under the four matched shifts."""
    return ", ".join(
        f"{name} {100 * span(s, 'shifts', 'rows', name, model)[0]:.0f}"
        for name in s[0]["rows"]["shifts"]["rows"]
    )


LABELLED = ("D_rand", "D_other", "D_det")


def each(s: Sequence[dict], paths: dict[str, tuple[str, ...]]) -> str:
    """Several numbers by name: {name: (piece, *path)} -> 'D_rand 54 % (53 to 55), D_det ...'"""
    return ", ".join(f"{name} {percent(span(s, *path))}" for name, path in paths.items())


OBJECTIONS = (
    Row(
        "Leaked robust features explain what D_rand and D_det teach (Goh).",
        lambda s: (
            f"From ten robust outputs alone, D_rand: {_leak(s, 'D_rand')}; D_other, whose labels say "
            f"anything but y: {_leak(s, 'D_other')}."
        ),
        lambda s: f"D_det: {_leak(s, 'D_det')}, where chance is 10 %.",
        lambda s: "Full networks: " + each(s, {d: ("leakage", "full", d) for d in LABELLED}) + ".",
    ),
    Row(
        "The labels' accidental signal explains them (leakage-only control).",
        lambda s: (
            "Without adversarial features: "
            + each(s, {d: (f"accidental {d}", "control") for d in LABELLED})
            + "."
        ),
        lambda s: (
            "Genuine, without the accidental images: "
            + each(s, {d: (f"accidental {d}", "without") for d in LABELLED})
            + "."
        ),
        lambda s: (
            "Share of accidental images: "
            + each(s, {d: (f"accidental {d}", "share") for d in LABELLED})
            + "."
        ),
    ),
    Row(
        "Wrong labels teach without any perturbation: D_rand is distillation (Wallace).",
        lambda s: f"Only an early model's errors: {percent(span(s, 'errors', 'student'))}.",
        lambda s: "Compatible with the paper: an early model's errors follow real features, too.",
        lambda s: (
            "Images of other classes, labelled by a model (chance 20 %), tested on: "
            + each(
                s, {half: (f"other classes {half}", "student") for half in ("even", "odd", "first", "last")}
            )
            + "."
        ),
    ),
    Row(
        "Some adversarial examples are just bugs (Nakkiran).",
        lambda s: (
            f"Squares, 400 samples, 20 % label noise: {percent(toy(s, 400, 0.2, 'attacked'))} under attack."
        ),
        lambda s: (
            f"No label noise: {percent(toy(s, 400, 0.0, 'attacked'))}. Twenty times the samples: "
            f"{percent(toy(s, 8000, 0.2, 'attacked'))}."
        ),
        lambda s: (
            f"The fooled model without attack: {percent(toy(s, 400, 0.2, 'clean'))}. What does not "
            "transfer: notebook 05."
        ),
    ),
    Row(
        "A useful, non-robust feature may be a robust one with noise inside (containment, Goh).",
        lambda s: "Containment: rho {:.2f}, gamma {:.0f}.".format(
            *(span(s, "pair", "rows", "containment", k)[0] for k in ("rho", "gamma"))
        ),
        lambda s: (
            "D_det made with it teaches "
            f"{percent(span(s, 'pair', 'rows', 'containment', 'student'))}, where chance is 50 %."
        ),
        lambda s: (
            "D_det made with an ensemble of fragile singular vectors: "
            f"{percent(span(s, 'pair', 'rows', 'ensemble', 'student'))}."
        ),
    ),
    Row(
        "Robust to small perturbations is not robust (Gilmer and Hendrycks).",
        lambda s: f"Adversarially trained, where the standard model has 60 %: {shift_row(s, 'robust')}.",
        lambda s: f"Trained on D_R, there: {shift_row(s, 'D_R')}.",
        lambda s: (
            "High frequencies alone teach: "
            + each(s, {f"cut {c}": (f"high-pass {c}", "student") for c in (12, 14)})
            + "."
        ),
    ),
    Row(
        "D_R's robustness is an artefact of a weak attack.",
        lambda s: (
            f"Under l2 1: {percent(span(s, 'attacks 1', 'rows', usual_attack(s), 'D_R'))} as evaluated, "
            f"{percent(span(s, 'attacks 1', 'rows', WORST, 'D_R'))} at worst; adversarially trained "
            f"{percent(span(s, 'attacks 1', 'rows', WORST, 'robust'))} at worst."
        ),
        lambda s: (
            f"Gain over D: {in_points(differences(s, '1', usual_attack(s)))} as evaluated, "
            f"{in_points(differences(s, '1', WORST))} at worst."
        ),
        lambda s: f"D itself: {percent(span(s, 'attacks 1', 'rows', usual_attack(s), 'D'))} as evaluated.",
    ),
)


class Table:
    """The debate at a glance, from the studies of several seeds."""

    head = ("claim", "evidence for", "evidence against", "measured beside it")

    def __init__(self, studies: Sequence[dict]):
        self.rows = [
            (row.claim, row.favour(studies), row.against(studies), row.measured(studies))
            for row in OBJECTIONS
        ]

    def __repr__(self) -> str:
        return f"the debate in {len(self.rows)} rows: print() shows it as text"

    def __str__(self) -> str:
        return "\n\n".join("\n  ".join([claim, *cells]) for claim, *cells in self.rows)

    def _repr_html_(self) -> str:
        head = "".join(f"<th style='text-align:left;width:25%'>{name}</th>" for name in self.head)
        cell = "<td style='text-align:left;vertical-align:top;white-space:normal'>{}</td>".format
        body = "".join("<tr>" + "".join(cell(escaped(text)) for text in row) + "</tr>" for row in self.rows)
        return f"<table style='width:100%;max-width:900px;table-layout:fixed'><tr>{head}</tr>{body}</table>"
