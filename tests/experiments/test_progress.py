"""The bar is there where somebody looks at it, and gives the items as they are."""

import io
import sys

import pytest
from small import TINY

import featlab as fl
from featlab.experiments.progress import bar, silent


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("where, shown", [(Terminal, True), (io.StringIO, False)])
def test_a_terminal_sees_the_bar_and_a_file_does_not(where, shown, monkeypatch):
    monkeypatch.setattr(sys, "stderr", where())
    assert list(bar(range(3), "student of D_R", 3)) == [0, 1, 2]
    assert ("student of D_R" in sys.stderr.getvalue()) == shown


def test_a_lab_by_hand_shows_its_bar_and_a_store_by_hand_what_it_is_told():
    assert fl.Lab(TINY).store.progress is bar
    assert fl.Lab(TINY, store=fl.Store()).store.progress is silent


def test_silence_changes_nothing():
    items = [1, 2]
    assert silent(items, "D_R", 2) is items
