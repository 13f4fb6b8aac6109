"""The experiment end to end on a handful of images: everything is made once, loaded afterwards,
and reported.
"""

import json
import re

import pytest
from small import TINY

import featlab as fl
from featlab import __main__ as command
from featlab.engine import devices
from featlab.experiments import claims, entries, presets, reports, reproduce
from featlab.experiments import lab as room
from featlab.experiments.progress import silent
from featlab.experiments.store import Store


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with devices.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent, released=False))


@pytest.fixture(scope="module")
def report(lab):
    return reproduce.report(lab)


def test_every_row_has_its_accuracies_with_intervals_that_hold_them(report):
    assert list(report["rows"]) == [*presets.ROWS, *presets.EXTRA_ROWS]
    for row in report["rows"].values():
        for cell in (row["clean"], *row["attacked"].values()):
            assert 0 <= cell.interval[0] <= cell <= cell.interval[1] <= 1
            assert cell.n == 40
        assert all(cell <= row["clean"] for cell in row["attacked"].values())


def test_the_report_says_where_it_was_measured(report):
    assert {"date", "device", "torch", "featlab", "precision"} <= set(report["provenance"])
    assert report["preset"]["images"] == "60" and report["seed"] == 0
    assert len(report["claims"]) == len(claims.CLAIMS)


def test_a_second_lab_loads_everything(lab, report, monkeypatch):
    def made(*_args, **_kwargs):
        raise AssertionError("made again")

    monkeypatch.setattr(room, "Training", made)
    monkeypatch.setattr(fl.parts.Construction, "parts", made)
    monkeypatch.setattr(room, "accuracy", made)
    again = fl.Lab(TINY, store=Store(lab.store.folder, silent, released=False))
    assert [piece.make() for piece in reproduce.pieces(again)] and reproduce.report(again) == report
    assert again.store.seconds.keys() >= {"robust", "D_R", "student of D_det"}


def test_the_bar_counts_exactly_the_pieces(lab, report):
    assert {piece.name: piece.passes for piece in reproduce.pieces(lab)} == presets.cost(TINY, 60, 40)
    assert all(piece.passes > 0 for piece in reproduce.pieces(lab))


def test_another_seed_is_another_experiment(lab):
    other = fl.Lab(TINY, seed=1, store=lab.store)
    weights = [m.head.weight for m in (lab.model("standard"), other.model("standard"))]
    assert not weights[0].equal(weights[1])


def test_students_do_not_share_the_teachers_first_weights(lab):
    fits = [lab.settings.model(name) for name in presets.MODELS]
    assert len({fit.setting for fit in fits}) == len({fit.seed for fit in fits}) == 3


def test_the_command_line_says_what_is_wrong_in_one_line(capsys, tmp_path):
    assert command.main(["reproduce", "--preset", "huge", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr()
    assert (
        said.out == "" and said.err.startswith("featlab: unknown preset 'huge'") and said.err.count("\n") == 1
    )


def test_the_command_writes_table_and_page(lab, report, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(presets.PRESETS, "tiny", TINY)
    monkeypatch.setenv("FEATLAB_CACHE", str(lab.store.folder))
    assert command.main(["reproduce", "--preset", "tiny", "--out", str(tmp_path)]) == 0
    stored = json.loads((tmp_path / "fashion-mnist-tiny-seed0.json").read_text())
    assert stored == json.loads(json.dumps(entries.plain(report)))
    assert (tmp_path / "fashion-mnist-tiny-seed0.html").exists()
    assert "95 % intervals" in capsys.readouterr().out


def test_an_interrupted_command_says_that_work_is_kept(monkeypatch, capsys):
    def interrupted(_lab):
        raise KeyboardInterrupt

    monkeypatch.setattr(reproduce, "pieces", interrupted)
    assert command.main(["reproduce"]) == 130
    assert "goes on where it was" in capsys.readouterr().err


def test_the_eight_lines_of_the_readme_run(monkeypatch):
    from featlab import data

    lines = re.search(
        r"```python\n(.*?)```", (reports.Path(__file__).parents[2] / "README.md").read_text(), re.S
    ).group(1)
    assert len([line for line in lines.splitlines() if line.strip()]) == 8
    whole = data.load
    monkeypatch.setattr(data, "load", lambda name: tuple(d[:100] for d in whole(name)))
    names = {}
    exec(lines, names)
    assert len(names["d_rand"]) == 100 and names["d_rand"].report["length"].max() <= 1.5 + 1e-4
