"""The figures of section 2 show the spectrum's numbers at the radius that they name."""

import numpy as np
import pytest

from featlab.features.spectrum import Spectrum
from featlab.plots import features

LINES = {"a <img>": ([0, 1], [0.5, -0.1]), "mixture": ([0, 1], [0.4, 0.2])}


def spectrum(seed):
    """Five units of a network with three classes."""
    rng = np.random.default_rng(seed)
    radii, rho = np.array([0.0, 0.5, 1.0, 2.0]), rng.normal(0.2, 0.3, (5, 3))
    gamma = rho - radii[:, None, None] * rng.uniform(0.1, 2, (5, 3))
    return Spectrum(radii, gamma, np.zeros_like(gamma), rng.normal(size=(5, 3)))


SPECTRA = {"standard": spectrum(0), "robust <img>": spectrum(1)}


def test_each_drawn_point_lies_at_its_rho_and_gamma_and_the_heaviest_is_largest():
    figure = features.feature_spectrum(SPECTRA, 0.75)
    for points, found in zip(figure.data[::4], SPECTRA.values(), strict=True):
        chosen = features.drawn_points(found)
        np.testing.assert_allclose(points.x, found.rho.ravel()[chosen], atol=0.006)
        gamma = np.maximum(found.at(0.75), features.FLOOR).ravel()[chosen]
        np.testing.assert_allclose(points.y, gamma, atol=0.006)
        weight = np.abs(found.w).ravel()
        assert np.argmax(points.marker.size) == np.argmax(weight[chosen])
        assert weight[chosen].min() >= np.median(weight)


def test_a_title_says_the_shares_of_the_kinds_and_takes_no_name_for_markup():
    for name, found in SPECTRA.items():
        words = features.spectrum_heading(name, found, 0.75)
        assert all(f"{100 * share:.0f} %" in words for share in found.shares(0.75))
    assert "robust &lt;img&gt;" in words


def test_every_trace_of_the_spectrum_has_a_name():
    borders = [name for name, *_ in features.BORDERS]
    names = [trace.name for trace in features.feature_spectrum(SPECTRA, 0).data]
    assert names == ["standard", *borders, "robust &lt;img&gt;", *borders]


def test_each_step_of_the_twin_moves_the_points_and_nothing_else():
    radii = (0, 0.5, 2)
    twin = features.spectrum_twin(SPECTRA, radii, active=1)
    assert twin.layout.sliders[0].active == 1
    for eps, step in zip(radii, twin.layout.sliders[0].steps, strict=True):
        data, words, moved = step.args
        still = features.feature_spectrum(SPECTRA, eps)
        assert [twin.data[i].name for i in moved] == [still.data[i].name for i in moved]
        assert [list(still.data[i].y) for i in moved] == data["y"]
        headings = [note.text for note in still.layout.annotations[: len(SPECTRA)]]
        assert list(words.values()) == headings


def test_falling_lines_show_gamma_over_the_radius_each_with_a_dash_of_its_own():
    figure = features.falling(LINES, title="t")
    for trace, (radii, gammas) in zip(figure.data, LINES.values(), strict=True):
        assert list(trace.x) == radii and list(trace.y) == gammas
    assert [trace.name for trace in figure.data] == ["a &lt;img&gt;", "mixture"]
    assert figure.data[0].line.dash != figure.data[1].line.dash
    assert figure.layout.shapes[0].y0 == 0  # what lies below is non-robust


@pytest.mark.parametrize("active", [0, 1])
def test_the_twin_of_falling_moves_its_last_line(active):
    steps = [("0", [0.4, 0.2], "none"), ("0.5", [0.3, 0.1], "half")]
    twin = features.falling_twin(LINES, steps, prefix="alpha = ", active=active)
    assert list(twin.data[1].y) == steps[active][1] and twin.layout.title.text == steps[active][2]
    for step, (label, gammas, title) in zip(twin.layout.sliders[0].steps, steps, strict=True):
        assert step.label == label
        assert list(step.args) == [{"y": [gammas]}, {"title.text": title}, (1,)]
