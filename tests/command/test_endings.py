"""Whatever ends a command has its line on stderr and its exit status."""

import pytest

from featlab import __main__ as command
from featlab.inputs import options


def test_ctrl_c_that_a_library_made_another_error_of_is_still_ctrl_c(monkeypatch, capsys):
    def fails(*_):
        try:
            raise KeyboardInterrupt
        except KeyboardInterrupt as error:
            raise ImportError("numpy could not be imported") from error

    monkeypatch.setattr(options, "parsed", fails)
    assert command.main(["reproduce"]) == 130


def test_a_traceback_can_be_asked_for(monkeypatch):
    monkeypatch.setenv("FEATLAB_TRACEBACK", "1")
    monkeypatch.setattr(options, "parsed", lambda *_: {}["x"])
    with pytest.raises(KeyError):
        command.main(["reproduce"])
