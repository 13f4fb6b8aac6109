"""The units of networks: whether they can be explored, the weights with which the classes use one of them,
and the attack that turns it.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from featlab import plots
from featlab.attacks import L2, descend
from featlab.features import KINDS, Units
from featlab.features.spectrum import Spectrum
from featlab.inputs.checks import named
from featlab.inputs.markup import escaped
from featlab.models import Classifier
from featlab.plots.features import drawn_points
from featlab.types import Dataset
from featlab.widgets.answers import check_finite, check_represents

STEPS = 5  # of the attack on a unit: enough for one slider's picture


def check_spectra(models: Mapping[str, Classifier], spectra: Mapping[str, Spectrum], data: Dataset) -> None:
    """Refuse networks without their spectrum, or whose spectrum is not of these images' classes."""
    if set(named(models, "models", 0)) != set(named(spectra, "spectra", 0)) or not models:
        raise ValueError(f"each network needs its spectrum: networks {list(models)}, spectra {list(spectra)}")
    for name, model in models.items():
        check_represents(model, f"the network {name!r}")
        check_finite(model, data, f"the network {name!r}")
        classes, votes = len(plots.names_of(data)), spectra[name].w.shape[1]
        if classes != votes:
            raise ValueError(f"the spectrum of {name!r} is of {votes} classes, these images have {classes}")


def weight_bars(names: Sequence[str], weights: Sequence[float], chosen: int) -> str:
    """Signed bars with their numbers as html: the head weights of a unit, the chosen class in bold."""
    most = max(abs(weight) for weight in weights) or 1.0  # of a unit that never changes all are 0
    rows = []
    for i, (name, weight) in enumerate(zip(names, weights, strict=True)):
        colour, side = (plots.BLUE, "left:50%") if weight > 0 else (plots.RED, "right:50%")
        place = f"position:absolute;{side};width:{50 * abs(weight) / most:.0f}%"
        bar = f'<div style="{place};height:13px;background:{colour}"></div>'
        word = f"<b>{escaped(name)}</b>" if i == chosen else escaped(name)
        rows.append(
            '<div style="display:flex;font-size:13px;line-height:17px">'
            f'<div style="width:96px">{word}</div>'
            f'<div style="position:relative;width:150px">{bar}</div>'
            f'<div style="width:44px;text-align:right">{weight:+.2f}</div></div>'
        )
    return "".join(rows)


def hover(found: Spectrum, names: Sequence[str]) -> list[str]:
    """What each point drawn of a spectrum is: the unit, and the class that uses it."""
    words = [f"unit {unit}, {escaped(name)}" for unit in range(len(found.w)) for name in names]
    return [words[at] for at in drawn_points(found)]


def unit_standing(found: Spectrum, unit: int, towards: int, eps: float) -> str:
    """How useful a unit is to a class, how robustly at eps (l2 in pixels of [0, 1]), in words, as markup."""
    rho, gamma = found.rho[unit, towards], found.at(eps)[unit, towards]
    kind = KINDS[found.kinds(eps)[unit, towards]]
    return f"rho {rho:.2f}, gamma {gamma:.2f} at eps {eps:.2f}: <b>{kind}</b>"


def lower_unit(model: Classifier, unit: int, sign: float, x: Tensor, *, eps: float) -> tuple[Tensor, Tensor]:
    """Images (n, c, h, w) moved within eps (l2 in pixels of [0, 1]) so that sign times a unit is least, and
    the unit's values (2 n,) before and after.
    """
    units = Units(model)
    z = descend(
        lambda z: sign * units(z)[:, unit],
        x,
        ball=L2(eps),
        steps=STEPS,
        step=2.5 * eps / STEPS or 1.0,
        decay=True,
        best=True,
    )
    with torch.no_grad():
        return z, torch.cat([units(x)[:, unit], units(z)[:, unit]]).double()
