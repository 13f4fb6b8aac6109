"""The feature explorer shows a pair of classes as `PairView` measures them."""

import pytest

from featlab.plots.debate import pair_figure
from featlab.widgets.debate import BARS, FeatureExplorer, feature_kind
from featlab.widgets.pictures import trace


@pytest.fixture(scope="module")
def explorer(clothes):
    return FeatureExplorer(*clothes, (5, 9), push=1.5)


@pytest.mark.parametrize(("alpha", "eps"), [(0.2, 0.3), (0.9, 1.2)])
def test_moved_knobs_show_the_figure_drawn_anew(explorer, alpha, eps):
    explorer.alpha.value, explorer.eps.value = alpha, eps
    anew = pair_figure(explorer.view, alpha, eps)
    for name in ("singular vectors", "ensemble", "containment", "eps", *BARS):
        live, still = trace(explorer.figure, name), trace(anew, name)
        assert (tuple(live.x), tuple(live.y), live.text) == (tuple(still.x), tuple(still.y), still.text)
    assert explorer.message.value == ""


def test_the_verdict_says_the_containments_shares(explorer):
    explorer.alpha.value, explorer.eps.value = 0.5, 0.5
    features = explorer.view.features(0.5, 0.5)
    own, student = explorer.view.shares(features["containment"])
    assert f"right on {own:.0f} %" in explorer.verdict.value
    assert f"<b>{student:.0f} %</b>" in explorer.verdict.value


def test_the_shares_are_the_heights_of_the_bars(explorer):
    explorer.alpha.value = 0.4
    for name, right in zip(BARS, zip(*explorer.shares.values(), strict=True), strict=True):
        assert list(trace(explorer.figure, name).y) == list(right)


def test_the_containment_at_alpha_1_is_the_robust_feature(explorer):
    explorer.alpha.value = 1.0
    [radius] = trace(explorer.figure, "containment").x
    assert radius == pytest.approx(explorer.view.point(explorer.view.robust)[0])


def test_robust_means_that_it_breaks_beyond_eps():
    assert feature_kind(0.6, 0.5, 0.5) == "robustly useful"
    assert feature_kind(0.4, 0.5, 0.5) == "useful and not robust"
    assert feature_kind(0.4, 0.01, 0.5) == "hardly useful, and not robust"


def test_the_twin_shows_at_each_alpha_what_the_live_figure_shows(explorer):
    explorer.eps.value = 0.5
    [slider] = explorer.twin.layout.sliders
    moved = [explorer.twin.data[number].name for number in slider.steps[0].args[1]]
    for step in slider.steps:
        explorer.alpha.value = float(step.label)
        for name, y in zip(moved, step.args[0]["y"], strict=True):
            assert list(trace(explorer.figure, name).y) == pytest.approx(list(y))
