"""The evidence of sections 3.1 and 3.2 as one experiment, with its tables."""

from functools import partial

from featlab import models
from featlab.engine import devices, parallel
from featlab.experiments import claims, speed
from featlab.experiments.lab import Lab
from featlab.experiments.plan import Piece
from featlab.experiments.presets import FOR_DATA, MATCHED, PRESETS, PUSHED, cost, passes_of_accuracy
from featlab.experiments.reports import Report, report_of

__all__ = ["FOR_DATA", "PRESETS", "begin", "columns", "pieces", "report", "text_table"]
begin = Lab


def needs(row: str) -> tuple[str, ...]:
    """The pieces of a row, in the order of their making, after the models trained on D."""
    made = (row,) if row in MATCHED | PUSHED else ()
    taught = () if row in ("D", "robust") else (f"student of {row}",)
    return (*made, *taught, f"accuracy of {row}")


def pieces(lab: Lab) -> list[Piece]:
    """Everything that is made for the table, in the order of its making."""
    passes = cost(lab.preset, *(len(part) for part in lab.data))
    names = [*lab.preset.models(), *(piece for row in lab.preset.rows for piece in needs(row))]
    return [Piece(name, passes[name], partial(lab.make, name)) for name in names]


def report(lab: Lab) -> Report:
    """The table with everything needed to read it, as it was when it was measured:
    what results/*.json holds.
    """
    rows = lab.preset.rows
    name = f"report of {len(rows)} rows" if lab.preset.beside else "report"
    return lab.value(name, partial(_measure, lab))


def _measure(lab: Lab) -> Report:
    """The table, which claims it agrees with, and what each piece took."""
    rows, seconds = lab.table(), lab.store.seconds
    verdicts = claims.verdicts(rows, f"{lab.preset.radii[0]:g}")
    judged = [{"section": claim.where, "claim": claim.says, "agrees": agrees} for claim, agrees in verdicts]
    return report_of(
        lab.preset,
        lab.seed,
        rows,
        claims=judged,
        seconds=seconds,
        stages=_stages(lab),
        peak=round(_peak() / speed.GIGA),
    )


def _stages(lab: Lab) -> dict[str, dict[str, float]]:
    """Of each piece that was made: seconds, operations (10^15),
    share of the measured matrix-product peak.
    """
    train, test = lab.data
    network = models.build(lab.preset.model, train).to(devices.device())
    each, best = speed.flops(network, train.images.shape[1:]), _peak()
    passes = cost(lab.preset, len(train), len(test))
    for name in lab.preset.rows:  # only the images that are right are attacked
        clean = lab.row(name)["clean"]
        passes[f"accuracy of {name}"] = passes_of_accuracy(lab.preset, clean.n, round(clean * clean.n))
    found = {}
    for name, seconds in lab.store.seconds.items():
        if name in passes:
            work = passes[name] * each
            share = work / max(seconds, 0.01) / best
            found[name] = {
                "seconds": seconds,
                "pflop": round(work / speed.PETA, 6),
                "share": round(share, 4),
            }
    return found


def _peak() -> float:
    """Operations a second of large matrix products on all devices that share the work."""
    return parallel.world() * speed.peak(devices.device().type)


def columns(row: dict) -> dict[str, tuple[float, float, float]]:
    """A row as bars: "clean" or "l2 radius" -> (value, low, high)."""
    under = {f"under l2 {radius}": accuracy for radius, accuracy in row["attacked"].items()}
    return {name: (float(a), *a.interval) for name, a in {"clean": row["clean"], **under}.items()}


def text_table(report: Report) -> str:
    """Rows and stages for a terminal."""
    return f"{row_table(report)}\n{stage_table(report)}"


def row_table(report: Report) -> str:
    """The rows for a terminal."""
    radii = list(report["rows"]["D"]["attacked"])
    lines = [
        f"{'trained on':<16}{'clean':>22}" + "".join(f"{'l2 ' + r:>22}" for r in radii) + f"{'paper':>12}"
    ]
    for name, row in report["rows"].items():
        cells = [row["clean"], *row["attacked"].values()]
        words = "".join(f"{cell!s:>22}" for cell in cells)
        paper = "/".join("-" if v is None else f"{100 * v:.0f}" for v in claims.PAPER.get(name, (None, None)))
        lines.append(f"{name:<16}{words}{paper:>12}")
    n = report["rows"]["D"]["clean"].n
    return "\n".join(
        [*lines, f"% of {n:,} real test images, 95 % intervals; paper: CIFAR-10, ResNet-50, clean/l2 0.25"]
    )


def stage_table(report: Report) -> str:
    """What each piece took, for a terminal."""
    lines = [
        f"{name:<34}{s['seconds']:>9.1f} s{s['pflop']:>11.4g}{s['share']:>9.1%}"
        for name, s in report["stages"].items()
    ]
    total, work = (sum(s[key] for s in report["stages"].values()) for key in ("seconds", "pflop"))
    lines.append(f"{'all':<34}{total:>9.1f} s{work:>11.4g}")
    return "\n".join(
        [
            f"{'made in':<34}{'':>11}{'10^15 op.':>11}{'share':>9}  of {report['peak']:,} x 10^9 a second",
            *lines,
        ]
    )
