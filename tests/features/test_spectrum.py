"""The spectrum is rho and gamma of every unit, whatever it was made in."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from small import patches, tiny

import featlab as fl
from featlab import features as ft
from featlab.attacks import L2
from featlab.engine import devices
from featlab.features.spectrum import Spectrum, parts_of_spectrum, spectrum

GRID = (0.0, 0.04, 0.08, 0.12, 0.16, 0.2)


@pytest.fixture(scope="module")
def measured():
    with devices.precision("float32"):
        data, model = (
            patches(80),
            fl.train(fl.cnn(classes=4, size=8, width=2, features=6), patches(80), epochs=3, seed=0),
        )
        return model, data, spectrum(model, data, GRID)


def test_the_spectrum_is_rho_and_gamma_of_each_unit_for_each_class(measured):
    model, data, found = measured
    with devices.precision("float32"):
        for c in range(4):
            sign = torch.from_numpy(np.where(found.w[:, c] >= 0, 1.0, -1.0))
            task = ft.one_against_rest(data, c)

            def units(x, sign=sign):
                return sign.to(x.dtype) * ft.Units(model)(x)

            rho = fl.usefulness(units, task, balanced=True)
            np.testing.assert_allclose(found.rho[:, c], rho.value, atol=1e-4)
            np.testing.assert_allclose(found.error[0, :, c], rho.error, rtol=0.35)
            gamma = fl.robust_usefulness(units, task, L2(0.2), balanced=True, steps=30).value.numpy()
            assert (
                np.abs(found.gamma[-1, :, c] - gamma).max() < 0.12 * np.abs(rho.value.numpy() - gamma).max()
            )


def test_gamma_falls_along_the_radii_and_shares_make_a_whole(measured):
    *_, found = measured
    assert (np.diff(found.gamma, axis=0) <= 1e-9).all() and (found.gamma[2] < found.rho).any()
    for eps in (0.0, 0.07, 0.2):
        assert found.shares(eps).sum() == pytest.approx(1) and found.counts(eps).sum() == pytest.approx(1)
    assert found.shares(0.0)[1] == 0
    np.testing.assert_allclose(found.at(0.06), (found.gamma[1] + found.gamma[2]) / 2)
    np.testing.assert_array_equal(found.at(0.2), found.gamma[-1])
    with pytest.raises(ValueError, match=r"from 0 to 0\.2"):
        found.at(0.5)


def test_shares_weigh_and_counts_count():
    gamma = np.array([[[0.5, 0.4, -0.1, 0.3]], [[0.2, -0.1, -0.3, -0.2]]])
    found = Spectrum(np.array([0.0, 1.0]), gamma, gamma * 0, np.array([[4.0, -3.0, 2.0, 1.0]]))
    np.testing.assert_allclose(found.shares(1.0), [0.4, 0.4, 0.2])
    np.testing.assert_allclose(found.counts(1.0), [0.25, 0.5, 0.25])


def test_a_spectrum_goes_on_where_it_was_interrupted(measured):
    model, data, _ = measured
    work = replace(parts_of_spectrum(model, data, (0.0, 0.1)), size=30)
    whole = work.join(list(work.parts()))
    first = next(iter(work.parts()))
    rest = list(work.parts(len(first.images)))
    torch.testing.assert_close(
        work.join([first, *rest]).report["least"], whole.report["least"], rtol=0, atol=1e-6
    )


@pytest.mark.parametrize("radii", [(0.1, 0.2), (0.0,), (0.0, 0.2, 0.1)])
def test_radii_must_grow_from_0(radii):
    with pytest.raises(ValueError, match="radii must increase"):
        spectrum(tiny(), patches(), radii)
    with pytest.raises(ValueError, match="every class"):
        spectrum(tiny(), patches(40)[torch.arange(0, 40, 2)], (0.0, 0.1))
