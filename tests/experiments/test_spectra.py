"""Two networks side by side: the experiment behind notebook 01, and its widgets."""

from dataclasses import replace

import plotly.graph_objects as go
import pytest
from small import patches

from featlab import features as ft
from featlab.attacks import L2, PGD
from featlab.engine import devices
from featlab.experiments import spectra
from featlab.experiments.store import Store
from featlab.training import Recipe
from featlab.widgets import features as widgets_features

RADII = (0.0, 0.2, 0.5)
BRIEF = Recipe(epochs=2, lr=0.05)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, devices.precision("float32"):
        preset = replace(
            spectra.PRESETS["quick"].lab,
            images=200,
            tests=60,
            student=BRIEF,
            defence=BRIEF,
            inner=PGD(L2(0.5), steps=2),
            steps=2,
        )
        patch.setitem(spectra.PRESETS, "tiny", spectra.Preset(preset, RADII))
        made = spectra.Spectra("tiny", store=Store(tmp_path_factory.mktemp("store")))
        made.found = {name: made.spectrum(name) for name in spectra.NETWORKS}
        yield made


def test_the_report_says_where_the_weight_rests(run):
    report = spectra.report(run)
    for name, row in report["rows"].items():
        assert list(row["kinds"]) == [f"{eps:g}" for eps in RADII] == ["0", "0.2", "0.5"]
        for eps, kinds in zip(RADII, row["kinds"].values(), strict=True):
            assert sum(kinds["weight"].values()) == pytest.approx(1, abs=2e-4)
            assert kinds["weight"]["useful, non-robust"] == pytest.approx(
                run.found[name].shares(eps)[1], abs=1e-4
            )
    assert report["provenance"]["date"] and report["seed"] == 0


def test_a_spectrum_is_loaded_the_second_time(run, monkeypatch):
    monkeypatch.setattr(
        "featlab.features.spectrum.descend_outwards", lambda *_: pytest.fail("measured again")
    )
    assert (run.spectrum("standard").gamma == run.found["standard"].gamma).all()


@pytest.fixture(scope="module")
def explorer(run):
    models = {name: run.lab.model(name) for name in spectra.NETWORKS}
    return widgets_features.SpectrumExplorer(models, run.found, run.lab.data[1])


def test_the_eps_slider_moves_every_point_and_the_titles(explorer):
    explorer.eps.value = 0.0
    before, title = [list(t.y) for t in explorer.points], explorer.headings[0].value
    explorer.eps.value = 0.5
    assert all(sum(t.y) < sum(old) for t, old in zip(explorer.points, before, strict=True))
    assert explorer.headings[0].value != title and not explorer.message.value


def test_choosing_a_unit_moves_the_ring_to_its_point_and_shows_its_images(explorer):
    explorer.network.value, explorer.unit.value, explorer.towards.value = "robust", 5, 3
    found = explorer.spectra["robust"]
    ring = explorer.figure.layout.shapes[-1]
    assert (ring.xref, ring.xanchor, ring.yref) == ("x2", pytest.approx(found.rho[5, 3]), "y2")
    assert ring.yanchor == pytest.approx(max(found.at(explorer.eps.value)[5, 3], -1))
    before = explorer.most.value, explorer.weights.value, explorer.verdict.value
    explorer.unit.value = 6
    after = explorer.most.value, explorer.weights.value, explorer.verdict.value
    assert all(new != old for new, old in zip(after, before, strict=True)) and not explorer.message.value


def test_the_attack_turns_the_unit_against_the_class_within_eps(explorer):
    explorer.eps.value = 0.5
    one = explorer.data[3].pixels
    for sign in (1.0, -1.0):
        z, (before, after) = explorer.attack("standard", 4, sign, one)
        assert sign * float(after - before) < 0 and float((z - one).norm()) <= 0.5 + 1e-5


def test_the_twins_need_no_kernel(explorer, containment):
    for widget, size in ((explorer, 150_000), (containment, 60_000)):
        assert type(widget.twin) is go.Figure and 1 < len(widget.twin.layout.sliders[0].steps) <= 20
        assert len(widget.twin.to_json()) < size


@pytest.fixture(scope="module")
def containment():
    data = ft.pair(patches(80), 0, 1)
    parts = ft.principal_components(data, 30)
    return widgets_features.Containment(
        ft.Linear(parts.directions[:1]), ft.Linear(parts.directions[-1:]), data
    )


def test_a_mixture_goes_from_one_feature_to_the_other(containment):
    for alpha, line in ((1.0, 0), (0.0, 1)):
        containment.alpha.value = alpha
        assert containment.figure.data[2].y == pytest.approx(containment.figure.data[line].y, abs=1e-3)
    containment.alpha.value = 0.5
    assert "mixture: rho" in containment.figure.layout.title.text and not containment.message.value


def test_head_weights_as_html_keep_their_signs():
    html = widgets_features.weight_bars(["a", "b"], [0.5, -1.0], 1)
    assert "+0.50" in html and "-1.00" in html and "<b>b</b>" in html and "width:25%" in html


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match=r"unknown preset 'huge'.*laptop, quick"):
        spectra.Spectra("huge")


def test_the_released_spectra_differ_as_notebook_01_says():
    """Most of the standard network's weight is on useful, non-robust units at l2 0.5;
    of the robust one's a small part.
    """
    shares = {name: spectra.Spectra("laptop").spectrum(name).shares(0.5) for name in spectra.NETWORKS}
    assert shares["standard"][1] > 0.75 and shares["standard"][0] < 0.2
    assert shares["robust"][1] < 0.1 and shares["robust"][0] > 0.75
