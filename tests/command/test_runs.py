"""One bar over all the work, a deadline, a cost that is said before."""

import math

import pytest
from small import patches

import featlab as fl
from featlab.command import runs
from featlab.engine import clock
from featlab.experiments import presets, progress, reproduce, speed


def test_one_bar_is_full_at_the_end_whether_made_or_loaded():
    bar = runs.WorkBar({"a": 10.0, "b": 5.0})
    list(bar(range(4), "a", 4))
    bar.settle("a")
    bar.settle("b")
    assert bar.bar.n == pytest.approx(bar.bar.total) == 10
    bar.bar.close()


class Clock:
    """A clock that only work moves."""

    now = 0.0

    def monotonic(self) -> float:
        return self.now

    def work(self, items: int, seconds: float):
        """Items, each of which takes so many seconds to come."""
        for item in range(items):
            self.now += seconds
            yield item


@pytest.mark.parametrize(
    "until, seconds, done", [(100, 30, 3), (90, 30, 3), (89, 30, 2), (10, 30, 1), (10, 0.25, 40)]
)
def test_no_item_is_begun_that_would_end_too_late_but_one_always_is(until, seconds, done, monkeypatch):
    monkeypatch.setattr(runs, "time", at := Clock())
    within, seen = runs.Deadline(progress.silent, until), []
    with pytest.raises(clock.TimeIsUp):
        seen.extend(within(at.work(50, seconds), "D_R", 50)) or pytest.fail("all was done")
    assert at.now == done * seconds
    monkeypatch.setattr(runs, "time", at := Clock())
    within = runs.Deadline(progress.silent, until, lambda label, total: seconds)
    begun = []
    with pytest.raises(clock.TimeIsUp):  # as values are made: when their item has come
        for piece in range(50):
            for _ in within(range(1), f"accuracy of {piece}", 1):
                begun.append(piece)
                at.now += seconds
    assert len(begun) == done


@pytest.mark.parametrize(
    "text, seconds", [("90", 90), ("90s", 90), ("9m", 540), ("1.5h", 5400), (None, math.inf)]
)
def test_times_are_read(text, seconds):
    assert runs.seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "-3m", "soon", "0", "9 minutes", "nan"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="no time"):
        runs.seconds_of(text)


def test_the_preset_follows_the_data_unless_it_is_named():
    assert runs.choose_preset(None, None, reproduce)[0] == "laptop"
    assert runs.choose_preset(None, "cifar10", reproduce)[0] == "ten-minutes"
    name, preset = runs.choose_preset("laptop", "cifar10", reproduce)
    assert (name, preset.data, preset.model) == ("laptop", "cifar10", "cnn")
    with pytest.raises(ValueError, match=r"unknown preset 'day'.*ten-minutes, paper"):
        runs.choose_preset("day", None, reproduce)


def test_on_a_cpu_a_long_run_says_its_cost_and_offers_the_small_one(monkeypatch, capsys):
    preset = runs.choose_preset("ten-minutes", None, reproduce)[1]
    lab = fl.Lab(preset)
    lab.data = (patches(60, channels=3, size=16), patches(40, channels=3, size=16))
    monkeypatch.setattr(speed, "throughput", lambda model, shape, images: 10.0)
    passes = sum(presets.cost(preset, 60, 40).values())
    cost = runs.forecast(lab, passes)
    assert not runs.confirm("ten-minutes", cost, yes=False)
    said = capsys.readouterr().out
    assert f"{passes / 10 / 3600:.0f} hours" in said and "--preset small" in said and "--yes" in said
    assert runs.confirm("ten-minutes", cost, yes=True) and runs.confirm(
        "laptop", runs.Forecast(1e-3, 60.0), yes=False
    )
    assert (
        capsys.readouterr()
        .out.splitlines()[1]
        .startswith("The preset laptop takes 0.001 x 10^15 operations, about 1 minutes")
    )
