"""Labs that differ in one choice share folder, images and progress, and say what differs."""

from dataclasses import replace

from small import TINY

import featlab as fl
from featlab.experiments.variants import piece_of, variants


def test_variants_share_what_does_not_differ(tmp_path):
    shown = []
    store = fl.Store(tmp_path, lambda items, label, total: shown.append(label) or items, released=False)
    lab = fl.Lab(TINY, seed=2, store=store)
    found = variants(lab, {"own": TINY, "steps 3": replace(TINY, steps=3)}, own="own")
    for one in found.values():
        assert one.data is lab.data and one.seed == 2 and one.store.folder == tmp_path
        assert not one.store.released and one.setting("robust") == lab.setting("robust")
        list(one.store.progress(range(1), "robust", 1))
    assert shown == ["robust", "robust, steps 3"]


def test_a_piece_is_called_by_what_differs():
    assert piece_of("D_R", "lr 0.1") == "D_R, lr 0.1" and piece_of("D_R", "own", "own") == "D_R"
