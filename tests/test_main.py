"""The command line has one command an experiment; what a run returns is the status of the process."""

import pytest

import featlab as fl
from featlab import __main__ as command
from featlab.experiments.registry import EXPERIMENTS


def reached(monkeypatch, words: list[str]):
    """The options with which a command was begun."""
    begun = []
    monkeypatch.setattr(command, "_measure", lambda arguments: begun.append(arguments) or 0)
    assert command.run(words) == 0
    return begun[0]


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_every_experiment_is_a_command_and_all_have_the_same_options(name, monkeypatch):
    plain = reached(monkeypatch, [name])
    assert plain.experiment == name and (plain.seed, plain.yes, plain.data) == (0, False, None)
    words = ["--preset", "quick", "--data", "x", "--size", "28x40", "--seed", "3", "--stop-after", "9m"]
    told = reached(monkeypatch, [name, *words, "--yes", "--out", "y"])
    assert (told.preset, told.data, told.size) == ("quick", "x", (28, 40))
    assert (told.seed, told.stop_after, told.yes, told.out.name) == (3, "9m", True, "y")


def test_only_an_experiment_of_one_row_can_be_told_which():
    for name, experiment in EXPERIMENTS.items():
        found = command.parser().parse_args([name])
        assert getattr(found, "row", None) == ("D_rand" if experiment.row else None)


@pytest.mark.parametrize("status", [0, 1, 130])
def test_the_status_of_the_run_is_the_status_of_the_process(status, monkeypatch):
    monkeypatch.setattr(command, "_measure", lambda arguments: status)
    assert command.run(["reproduce"]) == status


def test_a_run_whose_time_is_up_says_that_the_same_command_goes_on(monkeypatch, capsys):
    def late(arguments):
        raise fl.engine.clock.TimeIsUp

    monkeypatch.setattr(command, "_measure", late)
    assert command.run(["reproduce"]) == command.TIME_IS_UP == 75
    assert "Run the same command again" in capsys.readouterr().err


def test_an_error_of_one_process_alone_passes_as_it_is(monkeypatch):
    def fails(arguments):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(command, "_measure", fails)
    with pytest.raises(RuntimeError, match=r"^out of memory$"):
        command.run(["reproduce"])


@pytest.mark.parametrize("name", [command.LAB, command.TEST, *EXPERIMENTS])
def test_the_help_of_a_command_says_its_purpose_its_time_and_an_example_that_is_understood(name, capsys):
    with pytest.raises(SystemExit):
        command.run([name, "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "Time: " in said and f"example: python -m featlab {name} " in said
    words = said.partition("example: python -m featlab ")[2].split()
    assert command.parser().parse_args(words).run


def test_the_installed_command_names_itself(monkeypatch):
    monkeypatch.setattr("sys.argv", ["/usr/local/bin/featlab"])
    assert command.parser().prog == "featlab"
    monkeypatch.setattr("sys.argv", ["/usr/lib/featlab/__main__.py"])
    assert command.parser().prog == "python -m featlab"
