"""The experiment end to end on a handful of images: everything is made once, loaded afterwards, and reported."""

import json
import re

import pytest

import featlab as fl
from featlab import __main__ as command
from featlab import claims, engine, page, reproduce, results, runs, teachers
from featlab.results import Store, silent

TINY = reproduce.Preset(
    images=60,
    tests=40,
    student=fl.Recipe(epochs=1, lr=0.1),
    teacher=fl.Recipe(epochs=1, lr=0.1),
    defence=fl.Recipe(epochs=1, lr=0.1),
    inner=fl.PGD(fl.L2(1.0), steps=1),
    inversion=(2, 1.0),
    push=fl.PGD(fl.L2(1.5), steps=2, targeted=True),
    steps=2,
)


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with engine.precision("float32"):
        yield fl.Lab(TINY, store=Store(tmp_path_factory.mktemp("store"), silent))


@pytest.fixture(scope="module")
def report(lab):
    return lab.report()


def test_every_row_has_its_accuracies_with_intervals_that_hold_them(report):
    assert list(report["rows"]) == list(reproduce.ROWS)
    for row in report["rows"].values():
        for cell in (row["clean"], *row["attacked"].values()):
            assert 0 <= cell["low"] <= cell["value"] <= cell["high"] <= 1
            assert cell["n"] == 40
        assert all(cell["value"] <= row["clean"]["value"] for cell in row["attacked"].values())


def test_the_report_says_where_it_was_measured(report):
    assert {"date", "device", "torch", "featlab", "precision"} <= set(report["provenance"])
    assert report["preset"]["images"] == "60" and report["seed"] == 0
    assert len(report["claims"]) == len(claims.CLAIMS)


def test_a_second_lab_loads_everything(lab, report, monkeypatch):
    def made(*_args, **_kwargs):
        raise AssertionError("made again")

    monkeypatch.setattr(reproduce, "Training", made)
    monkeypatch.setattr(fl.constructed.Construction, "parts", made)
    monkeypatch.setattr(reproduce, "accuracy", made)
    again = fl.Lab(TINY, store=Store(lab.store.folder, silent))
    assert list(again.pieces()) and again.report() == report
    assert again.store.seconds.keys() >= {"robust", "D_R", "student of D_det"}


def test_the_bar_counts_exactly_the_pieces(lab, report):
    costs = reproduce.cost(TINY, 60, 40)
    assert sorted(costs) == sorted(lab.pieces())
    assert all(value > 0 for value in costs.values())


def test_one_bar_is_full_at_the_end_whether_made_or_loaded():
    bar = runs.OneBar({"a": 10.0, "b": 5.0})
    list(bar(range(4), "a", 4))
    bar.settle("a")
    bar.settle("b")
    assert bar.bar.n == pytest.approx(bar.bar.total) == 10
    bar.bar.close()


def test_another_seed_is_another_experiment(lab):
    other = fl.Lab(TINY, seed=1, store=lab.store)
    weights = [m.head.weight for m in (lab.model("standard"), other.model("standard"))]
    assert not weights[0].equal(weights[1])


def test_students_do_not_share_the_teachers_first_weights(lab):
    seeds = {name: lab.setting(name) for name in ("standard", "teacher", "robust")}
    assert len(set(seeds.values())) == 3
    assert len({re.search(r"seed (\d+)", text).group(1) for text in seeds.values()}) == 3


@pytest.mark.parametrize("ask, says", [
    (lambda lab: fl.Lab("huge"), "unknown preset 'huge'.*" + ".*".join(reproduce.PRESETS)),
    (lambda lab: lab.model("D_R"), "unknown model 'D_R'.*standard.*robust"),
    (lambda lab: lab.dataset("D_X"), "unknown dataset 'D_X'.*D_R.*D_det"),
    (lambda lab: lab.student("D_X"), "unknown .*'D_X'.*D_R.*D_det"),
    (lambda lab: lab.row("D_X"), "unknown .*'D_X'.*D_R.*D_det"),
])  # fmt: skip
def test_unknown_names_are_refused_with_the_known_before_any_work(ask, says, tmp_path):
    lab = fl.Lab(store=fl.Store(tmp_path))
    with pytest.raises(ValueError, match=says):
        ask(lab)
    assert not list(tmp_path.iterdir())


def test_the_command_line_says_what_is_wrong_in_one_line(capsys, tmp_path):
    assert command.main(["reproduce", "--preset", "huge", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("featlab: unknown preset 'huge'") and said.err.count("\n") == 1


def row(clean, attacked):
    cell = lambda v: {"value": v, "low": v - 0.02, "high": v + 0.02, "n": 2000}  # noqa: E731
    return {"clean": cell(clean), "attacked": {"0.5": cell(attacked)}}


def test_claims_follow_the_numbers():
    paper = {"D": row(0.95, 0.04), "D_R": row(0.84, 0.48), "D_NR": row(0.88, 0.01), "D_rand": row(0.63, 0), "D_det": row(0.44, 0)}
    paper |= {"D_rand control": row(0.1, 0), "D_det control": row(0.0, 0)}
    assert all(ok for _, ok in claims.verdicts(paper, "0.5"))
    failed = {**paper, "D_R": row(0.84, 0.05), "D_rand": row(0.11, 0), "D_det": row(0.09, 0), "D_NR": row(0.88, 0.3)}
    assert not any(ok for _, ok in claims.verdicts(failed, "0.5"))


def test_over_seeds_gives_mean_least_and_greatest():
    rows = results.over_seeds([{"rows": {"D": row(v, v / 2)}} for v in (0.2, 0.4, 0.9)])
    assert rows["D"]["clean"] == pytest.approx((0.5, 0.2, 0.9))
    assert rows["D"]["under l2 0.5"] == pytest.approx((0.25, 0.1, 0.45))


def test_results_that_are_not_there_say_how_to_make_them():
    with pytest.raises(FileNotFoundError, match="python -m featlab reproduce"):
        results.measured("fashion-mnist-nonsense")


def test_stored_results_are_complete():
    reports = results.measured("fashion-mnist-laptop")
    assert [r["seed"] for r in reports] == [0, 1, 2]
    assert all(list(r["rows"]) == list(reproduce.ROWS) for r in reports)


def test_the_page_stands_alone(lab, report, tmp_path):
    page.write(tmp_path / "page.html", report, lab)
    text = (tmp_path / "page.html").read_text()
    assert not re.search(r"<(script|img|link)[^>]+(src|href)=[\"']?(https?:)?//", text)
    assert all(name in text for name in reproduce.ROWS)
    assert "data:image/png;base64," in text and report["provenance"]["torch"] in text


def test_the_command_writes_table_and_page(lab, report, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(reproduce.PRESETS, "tiny", TINY)
    monkeypatch.setenv("FEATLAB_CACHE", str(lab.store.folder))
    assert command.main(["reproduce", "--preset", "tiny", "--out", str(tmp_path)]) == 0
    stored = json.loads((tmp_path / "fashion-mnist-tiny-seed0.json").read_text())
    assert stored == json.loads(json.dumps(report))
    assert (tmp_path / "fashion-mnist-tiny-seed0.html").exists()
    assert "95 % intervals" in capsys.readouterr().out


def test_an_interrupted_command_says_that_work_is_kept(monkeypatch, capsys):
    def interrupted(_lab):
        raise KeyboardInterrupt

    monkeypatch.setattr(fl.Lab, "pieces", interrupted)
    assert command.main(["reproduce"]) == 130
    assert "goes on where it was" in capsys.readouterr().err


def test_teachers_vary_in_length_and_reach(lab):
    part = teachers.variant(lab, 4, 2.5)
    assert part.preset.teacher.epochs == 4 and part.preset.push.ball == fl.L2(2.5)
    assert part.setting("standard") == lab.setting("standard")
    made = lab.dataset("D_det")
    measured = teachers.measure(lab)
    assert measured["D_det"]["reached"] == pytest.approx(made.report["reached"].float().mean().item(), abs=1e-4)
    assert 0 <= measured["D_det"]["depth"] <= 1


def test_the_eight_lines_of_the_readme_run(monkeypatch):
    from featlab import data

    lines = re.search(r"```python\n(.*?)```", (results.Path(__file__).parents[1] / "README.md").read_text(), re.S).group(1)
    assert len([line for line in lines.splitlines() if line.strip()]) == 8
    whole = data.load
    monkeypatch.setattr(data, "load", lambda name: tuple(d[:100] for d in whole(name)))
    names = {}
    exec(lines, names)
    assert len(names["d_rand"]) == 100 and names["d_rand"].report["length"].max() <= 1.5 + 1e-4
