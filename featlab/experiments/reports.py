"""What was measured: the one form of a report, stored reports, and what a number is to be read with."""

import datetime
import platform
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

import torch

from featlab.engine import devices, files, parallel
from featlab.experiments import entries
from featlab.inputs.checks import instance
from featlab.inputs.options import did_you_mean

if TYPE_CHECKING:
    from typing_extensions import Unpack  # typing has it from Python 3.11 on

PACKED = Path(__file__).parents[1] / "measured"  # where a wheel carries the folder results/
RESULTS = PACKED if PACKED.is_dir() else Path(__file__).resolve().parents[2] / "results"
# commands of their own
STUDIES = ("appendix", "teachers", "spectra", "debate", "figure3", "converse", "signal", "beside")
LAPTOP = "fashion-mnist-laptop"


class More(TypedDict, total=False):
    """What only some experiments write into their reports.

    reproduce   claims, stages and peak: what agrees with the paper, what each piece took, and the machine's
                fastest matrix product, in 10^9 operations a second
    appendix    strengths, robustified, directions: its sections; and the other architecture, the first radius
                and how many images the strong attacks are tried on
    sweep       the row that its variants are of
    figure3     the radius of D_det as text, and the source itself as a row
    converse    how many models are spared
    signal      sources: the model whose features made each set
    """

    seconds: dict[str, float]
    claims: list[dict[str, Any]]
    stages: dict[str, dict[str, float]]
    peak: int
    strengths: dict[str, Any]
    robustified: dict[str, dict]
    directions: dict[str, dict]
    other: str
    radius: float | str
    strong_on: int
    row: str
    source: dict[str, Any]
    spared: int
    sources: dict[str, str]


class Report(More):
    """What one run of an experiment measured: a dict for json, in which every accuracy has its interval.

    seed        of the run
    preset      field -> its text; of the first reports only the name is known
    provenance  what the numbers are to be read with: date, device, versions
    rows        what was compared -> what was measured of it

    Beside these an experiment may write what only it measures: see More.
    """

    seed: int
    preset: dict[str, str]
    provenance: dict[str, str]
    rows: dict[str, dict[str, Any]]


def report_of(preset: Any, seed: int, rows: dict[str, dict], **more: "Unpack[More]") -> Report:
    """A report of what was measured now, with a preset; `more` is what only this experiment writes."""
    settings = {field.name: str(getattr(preset, field.name)) for field in fields(preset)}
    return {"seed": seed, "preset": settings, "provenance": provenance(), "rows": rows, **more}


def read(path: Path) -> Any:
    """What a json file of results holds, its accuracies as Entries."""
    return entries.parse(path.read_text(encoding="utf-8"))


def measured(name: str) -> list[Report]:
    """The stored reports of a setting, one per seed: measured("fashion-mnist-laptop") reads
    results/fashion-mnist-laptop-seed*.json, and measured("figure3") those of this study on a laptop.

    Reports that are not there are a FileNotFoundError that names the command which writes them.
    """
    instance(name, str, "stored results are asked for by name, such as 'fashion-mnist-laptop'")
    name, folder = f"{LAPTOP}-{name}" if name in STUDIES else name, RESULTS
    paths = sorted(folder.glob(f"{name}-seed*.json"))
    if not paths:
        stored = {path.name.rpartition("-seed")[0] for path in folder.glob("*-seed*.json")}
        raise FileNotFoundError(
            f"no stored results {folder / name}-seed*.json: python -m featlab {command_of(name)} "
            f"--out {folder} writes them{did_you_mean(name, stored)}"
        )
    return [read(path) for path in paths]


def command_of(name: str) -> str:
    """What measures the reports of this name: "fashion-mnist-laptop-spectra" -> "spectra"."""
    if "-sweep-" in name:
        return f"sweep --row '{name.partition('-sweep-')[2]}'"
    return next((study for study in STUDIES if name.endswith(f"-{study}")), "reproduce")


def over_seeds(reports: Sequence[Report]) -> dict[str, dict[str, tuple[float, float, float]]]:
    """Rows of several seeds together, those that all of them have, as bars: row -> "clean" or "under l2
    radius" -> (mean, least, greatest) over the seeds.
    """
    if not instance(reports, list | tuple, "reports must be a list, as measured(name) gives it"):
        raise ValueError(
            f"there must be a report at least, got {reports!r}: measured(name) reads stored ones"
        )
    rows = {}
    for name, first in reports[0]["rows"].items():
        if not all(name in report["rows"] for report in reports):
            continue
        seeds = [report["rows"][name] for report in reports]
        columns = {"clean": [row["clean"] for row in seeds]}
        for radius in first["attacked"]:
            columns[f"under l2 {radius}"] = [row["attacked"][radius] for row in seeds]
        rows[name] = {column: spread(values) for column, values in columns.items()}
    return rows


def spread(values: Sequence[float]) -> tuple[float, float, float]:
    """(mean, least, greatest)"""
    return sum(values) / len(values), float(min(values)), float(max(values))


def provenance() -> dict[str, str]:
    """What a measured number is to be read with: date, device, versions."""
    import featlab

    gpu, together = devices.device().type == "cuda", f"{parallel.world()} x " if parallel.world() > 1 else ""
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).date().isoformat(),
        "device": together
        + (
            torch.cuda.get_device_name()
            if gpu
            else f"CPU, {torch.get_num_threads()} threads, {devices.processor()}"
        ),
        "precision": devices.describe_precision(),
        "featlab": featlab.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def write_once(path: Path, value: object) -> None:
    """Write json, atomically, every accuracy with its interval; of several processes the first does."""
    if not parallel.rank():
        files.write_json(path, entries.plain(value))
