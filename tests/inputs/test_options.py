"""Words of the command line: what each may be, and the one line that says why another is nothing."""

import argparse
from pathlib import Path

import pytest

from featlab.inputs import options
from featlab.inputs.options import Parser, Usage, known_option, parsed, writable

COMMANDS = ("run", "measure")


def parser() -> Parser:
    top = Parser(prog="lab")
    commands = top.add_subparsers(required=True)
    for name in COMMANDS:
        command = commands.add_parser(name)
        command.add_argument("--seed", type=options.seed, default=0)
        command.add_argument("--stop-after", type=options.duration)
    return top


def test_options_that_there_are_mean_what_they_say():
    found = parsed(parser(), COMMANDS, ["run", "--seed", "3", "--stop-after", "9m"])
    assert (found.seed, found.stop_after) == (3, "9m")
    assert parsed(parser(), COMMANDS, ["measure"]).seed == 0


@pytest.mark.parametrize("words, says", [
    (["rum"], "unknown command 'rum'.*run, measure; did you mean run"),
    (["run", "--sed", "3"], "unknown option '--sed'.*did you mean --seed"),
    (["run", "--stop_after=9m"], "unknown option '--stop_after'.*did you mean --stop-after"),
    (["run", "fast"], "'fast' belongs to no option .lab run --help"),
    (["run", "--seed", "-1"], "a seed is a whole number"),
    ([], "lab --help says more"),
])  # fmt: skip
def test_a_mistake_is_one_line_that_says_what_there_is(words, says):
    with pytest.raises(Usage, match=says) as refusal:
        parsed(parser(), COMMANDS, words)
    assert "\n" not in str(refusal.value)


def test_a_name_that_resembles_none_gets_no_advice():
    assert known_option("run", COMMANDS, "command") == "run"
    with pytest.raises(Usage, match=r"unknown command 'xyz': choose one of run, measure$"):
        known_option("xyz", COMMANDS, "command")


@pytest.mark.parametrize("take, word, value", [
    (options.seed, "0", 0), (options.seed, str(options.MOST), options.MOST),
    (options.size, "28", 28), (options.size, "28x40", (28, 40)), (options.size, "4096", 4096),
    (options.text, "word", "word"), (options.duration, "1.5h", "1.5h"),
    (options.seconds_of, "90", 90), (options.seconds_of, "1.5h", 5400), (options.seconds_of, "0.5s", 0.5),
    (options.seconds_of, None, float("inf")), (options.folder, "a/b", Path("a/b")),
    (options.folder, "~/b", Path.home() / "b"),
])  # fmt: skip
def test_a_word_is_taken_for_its_value(take, word, value):
    assert take(word) == value


@pytest.mark.parametrize("take, word, says", [
    (options.seed, str(options.MOST + 1), "whole number"), (options.seed, "1.0", "whole number"),
    (options.seed, " ", "empty"),
    (options.size, "0", "1 to 4096"), (options.size, "4097", "1 to 4096"), (options.size, "28x", "28x40"),
    (options.size, "28x0", "28x40"), (options.size, "1x2x3", "28x40"), (options.size, "-3", "1 to 4096"),
    (options.text, "  ", "empty"), (options.duration, "", "empty"), (options.duration, "soon", "no time"),
    (options.duration, "inf", "no time"), (options.folder, "", "empty"),
    (options.folder, "~nobody-of-this-name/x", "no folder"),
])  # fmt: skip
def test_a_word_that_means_nothing_is_refused_by_what_would(take, word, says):
    with pytest.raises(argparse.ArgumentTypeError, match=says):
        take(word)


def test_a_path_that_can_be_written_gets_its_folder_and_no_file(tmp_path):
    path = tmp_path / "new" / "deep" / "table.json"
    assert writable(path) == path and list(path.parent.iterdir()) == []


def test_a_path_that_cannot_be_written_is_found_before_the_work(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError, match=r"a folder has this name.*--out"):
        writable(tmp_path)
    with pytest.raises(OSError, match=r"cannot be written.*--out"):
        writable(tmp_path / "file" / "table.json")
