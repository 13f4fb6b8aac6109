"""A unit's weights keep their signs, and its attack turns it within eps."""

import pytest
import torch
from small import patches, tiny

from featlab.features import Units
from featlab.features.spectrum import parts_of_spectrum, spectrum_of
from featlab.widgets.units import check_spectra, lower_unit, unit_standing, weight_bars

DATA = patches()
LIVELY = int(Units(tiny())(DATA.pixels).std(0).argmax())  # a unit that an attack can move both ways


def spectrum(model, data=DATA):
    measured = parts_of_spectrum(model, data, (0.0, 0.5))
    return spectrum_of(measured.join(list(measured.parts())), model, (0.0, 0.5))


def test_head_weights_as_html_keep_their_signs():
    html = weight_bars(["a", "b"], [0.5, -1.0], 1)
    assert "+0.50" in html and "-1.00" in html and "<b>b</b>" in html and "width:25%" in html


def test_a_unit_without_weights_has_bars_of_no_length():
    html = weight_bars(["a", "b"], [0.0, -0.0], 0)
    assert html.count("width:0%") == 2


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_the_attack_lowers_the_signed_unit_within_eps(sign):
    model, x = tiny(), DATA.pixels[:3]
    z, values = lower_unit(model, LIVELY, sign, x, eps=0.5)
    before, after = values[:3], values[3:]
    torch.testing.assert_close(before, Units(model)(x)[:, LIVELY].detach().double())
    torch.testing.assert_close(after, Units(model)(z)[:, LIVELY].detach().double())
    assert (sign * after <= sign * before).all() and (sign * after < sign * before).any()
    assert (z - x).flatten(1).norm(dim=1).max() <= 0.5 + 1e-5 and z.min() >= 0 and z.max() <= 1


def test_without_a_radius_a_unit_stays():
    z, values = lower_unit(tiny(), LIVELY, 1.0, DATA.pixels[:2], eps=0.0)
    assert torch.equal(z, DATA.pixels[:2]) and torch.equal(values[:2], values[2:])


def test_a_standing_says_the_spectrums_numbers():
    found = spectrum(tiny())
    words = unit_standing(found, 5, 2, 0.5)
    assert f"rho {found.rho[5, 2]:.2f}, gamma {found.at(0.5)[5, 2]:.2f} at eps 0.50: <b>" in words


def test_a_network_without_its_spectrum_is_refused(nan_model):
    model, found = tiny(), spectrum(tiny())
    check_spectra({"a": model}, {"a": found}, DATA)
    with pytest.raises(ValueError, match=r"each network needs its spectrum.*'a'.*'b'"):
        check_spectra({"a": model}, {"b": found}, DATA)
    with pytest.raises(ValueError, match="not finite"):
        check_spectra({"bad": nan_model}, {"bad": found}, DATA)
    few = patches(classes=2)
    with pytest.raises(ValueError, match="'a' is of 4 classes, these images have 2"):
        check_spectra({"a": model}, {"a": found}, few)
