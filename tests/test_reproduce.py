"""The experiment refuses what it does not know, with what it knows, and the command line says so in one line."""

import pytest

import featlab as fl
from featlab.__main__ import main
from featlab.reproduce import PRESETS, Lab


@pytest.mark.parametrize("ask, says", [
    (lambda lab: Lab("huge"), "unknown preset 'huge'.*" + ".*".join(PRESETS)),
    (lambda lab: lab.model("D_R"), "unknown model 'D_R'.*standard.*robust"),
    (lambda lab: lab.dataset("D_X"), "unknown dataset 'D_X'.*D_R.*D_det"),
    (lambda lab: lab.student("D_X"), "unknown .*'D_X'.*D_R.*D_det"),
    (lambda lab: lab.row("D_X"), "unknown .*'D_X'.*D_R.*D_det"),
])  # fmt: skip
def test_unknown_names_are_refused_with_the_known_before_any_work(ask, says, tmp_path):
    lab = Lab(store=fl.Store(tmp_path))
    with pytest.raises(ValueError, match=says):
        ask(lab)
    assert not list(tmp_path.iterdir())


def test_the_command_line_says_what_is_wrong_in_one_line(capsys, tmp_path):
    assert main(["reproduce", "--preset", "huge", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith("featlab: unknown preset 'huge'") and said.err.count("\n") == 1
