"""The spectrum's points fall as gamma does, a chosen unit is shown, and a mixture is what alpha says."""

from types import SimpleNamespace

import numpy as np
import plotly.graph_objects as go
import pytest
import torch
from small import patches, tiny

from featlab import features as ft
from featlab import plots
from featlab.attacks import L2
from featlab.features.spectrum import parts_of_spectrum, spectrum_of
from featlab.inputs.markup import escaped
from featlab.plots import features as plots_features
from featlab.widgets.features import Containment, SpectrumExplorer
from featlab.widgets.pictures import trace

DATA, RADII = patches(), (0.0, 0.5, 1.0)
LIVELY = int(ft.Units(tiny())(DATA.pixels).std(0).argmax())  # a unit that an attack can move both ways


@pytest.fixture
def explorer():
    models = {"standard": tiny(), "robust<b>": tiny(seed=1)}
    spectra = {}
    for name, model in models.items():
        measured = parts_of_spectrum(model, DATA, RADII)
        spectra[name] = spectrum_of(measured.join(list(measured.parts())), model, RADII)
    return SpectrumExplorer(models, spectra, DATA)


def test_the_eps_slider_moves_every_point_to_its_gamma(explorer):
    explorer.eps.value = 0.5
    for name, heading in zip(explorer.spectra, explorer.headings, strict=True):
        found = explorer.spectra[name]
        points = trace(explorer.figure, escaped(name))
        assert list(points.y) == plots_features.heights(found, 0.5)
        assert heading.value == plots_features.spectrum_heading(name, found, 0.5)
    assert explorer.message.value == ""


def test_it_begins_at_the_heaviest_unit_and_an_image_of_its_class(explorer):
    weight = np.abs(explorer.spectra["standard"].w)
    assert weight[explorer.unit.value, explorer.towards.value] == weight.max()
    assert int(DATA.labels[explorer.image.value]) == explorer.towards.value


def test_a_chosen_unit_has_the_ring_and_its_images_and_weights(explorer):
    explorer.network.value, explorer.unit.value, explorer.towards.value = "robust<b>", 5, 3
    found = explorer.spectra["robust<b>"]
    assert explorer.ring.xref == "x2" and explorer.ring.xanchor == pytest.approx(found.rho[5, 3])
    assert explorer.ring.yanchor == pytest.approx(max(found.at(0.0)[5, 3], -1))
    order = explorer.activations["robust<b>"][:, 5].argsort(descending=True)
    greatest, least = DATA.images[order[:7]], DATA.images[order.flip(0)[:7]]
    assert explorer.most.value == plots.png(plots.strip(greatest, gap=5, zoom=2))
    assert explorer.least.value == plots.png(plots.strip(least, gap=5, zoom=2))
    assert f"{found.w[5, 3]:+.2f}" in explorer.weights.value and "Unit 5" in explorer.about.value


def test_a_click_on_a_point_chooses_its_unit(explorer):
    points = trace(explorer.figure, "standard")
    points._dispatch_on_click(SimpleNamespace(point_inds=[7]), None)
    words = f"unit {explorer.unit.value}, {explorer.names[explorer.towards.value]}"
    assert points.text[7] == words
    assert points.x[7] == pytest.approx(
        explorer.spectra["standard"].rho[explorer.unit.value, explorer.towards.value], abs=0.006
    )


@pytest.mark.parametrize("label", [0, 1])
def test_the_attack_turns_the_unit_against_the_class_within_eps(explorer, label):
    explorer.eps.value = 0.5
    z, (before, after) = explorer.attack("standard", LIVELY, 1.0 if label else -1.0, DATA.pixels[3:4])
    assert (after < before) == bool(label) and float((z - DATA.pixels[3:4]).norm()) <= 0.5 + 1e-5


def test_a_move_encodes_no_picture_twice(explorer, encodings):
    explorer.image.value = 9
    assert len(encodings) == 3  # image, perturbation, attacked
    encodings.clear()
    explorer.unit.value = 3
    assert len(encodings) == 5  # and the two strips


@pytest.mark.parametrize("image", [9, 10])  # of the class, and of another
def test_its_verdict_counts_a_vote_as_the_class_uses_it(explorer, image):
    explorer.eps.value, explorer.unit.value, explorer.towards.value = 0.0, LIVELY, 1
    explorer.image.value = image
    values = explorer.activations["standard"][:, LIVELY]
    vote = float(values[image] - values.mean()) * explorer.spectra["standard"].w[LIVELY, 1]
    right = (vote > 0) == (int(DATA.labels[image]) == 1)
    assert f"is {'right' if right else 'wrong'}." in explorer.verdict.value
    assert "its vote stays" in explorer.verdict.value


@pytest.fixture
def containment():
    data = ft.pair(patches(80), 0, 1)
    parts = ft.principal_components(data, 30)
    return Containment(ft.Linear(parts.directions[:1]), ft.Linear(parts.directions[-1:]), data)


@pytest.mark.parametrize(("alpha", "name"), [(1.0, "robust, useful"), (0.0, "fragile, useless")])
def test_a_mixture_of_one_feature_is_that_feature(containment, alpha, name):
    containment.alpha.value = alpha
    mixture = trace(containment.figure, "mixture")
    assert mixture.y == pytest.approx(trace(containment.figure, name).y, abs=1e-3)


def test_the_mixture_is_that_of_the_closed_form(containment):
    containment.alpha.value = 0.3
    f = ft.mixture(containment.features, torch.tensor([0.3, 0.7]), containment.data)
    ends = [float(ft.closed_form(f, containment.data, L2(eps))) for eps in (0.0, 1.0)]
    assert list(trace(containment.figure, "mixture").y) == pytest.approx(ends, abs=1e-4)
    assert f"rho {ends[0]:.2f}" in containment.figure.layout.title.text


def test_the_twins_need_no_kernel(explorer, containment):
    for widget, size in ((explorer, 150_000), (containment, 60_000)):
        assert type(widget.twin) is go.Figure and 1 < len(widget.twin.layout.sliders[0].steps) <= 20
        assert len(widget.twin.to_json()) < size
