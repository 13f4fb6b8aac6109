"""The toys have known answers: a robust network fits true squares, a containment's D_det teaches little."""

import pytest
from small import TINY

import featlab as fl
from featlab.debate import ensembles
from featlab.experiments import toys


def test_every_sample_size_meets_every_noise_and_noise_is_what_makes_it_fragile(tmp_path, monkeypatch):
    monkeypatch.setattr(toys, "SAMPLES", (100, 200))
    rows = toys.squares_table(fl.Lab(TINY, store=fl.Store(tmp_path)))["rows"]
    assert [(row["n"], row["noise"]) for row in rows] == [(n, p) for n in (100, 200) for p in toys.NOISES]
    assert all(row["attacked"] <= row["clean"] for row in rows)


def test_the_pair_is_measured_in_closed_form():
    lab = fl.Lab("laptop")
    found = toys.singular_pair(lab)
    points = ensembles.Pair.of(lab.data[0], toys.PAIR)
    assert found["n"] == int(sum((lab.data[1].labels == c).sum() for c in toys.PAIR))
    assert 0 < found["robust vectors"] < found["vectors"]
    ensemble, mixed = found["rows"]["ensemble"], found["rows"]["containment"]
    assert ensemble["rho"] > 0 > ensemble["gamma"] and mixed["rho"] > 0
    mean = ensembles.pair_usefulness(points.m, points).item()
    assert mean >= max(ensemble["rho"], mixed["rho"]) - 1e-3, (
        "nothing is more useful than the means' difference"
    )
    assert ensemble["student"] == pytest.approx(
        fl.measured("debate")[0]["rows"]["pair"]["rows"]["ensemble"]["student"]
    )
