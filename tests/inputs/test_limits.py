"""A reader's code gets so much time and so many words, and spoils no value that is checked."""

import threading
import time
from contextlib import suppress

import pytest
import torch

from featlab.inputs import limits
from featlab.inputs.limits import Overdue, few_words, own_copies, short, within


def in_main(seconds, work):
    return within(seconds, work)


def in_a_thread(seconds, work):
    """The same where no alarm can be set, as on Windows."""
    found = []

    def run():
        try:
            found.append((within(seconds, work), None))
        except BaseException as error:
            found.append((None, error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    value, error = found[0]
    if error is not None:
        raise error
    return value


WAYS = pytest.mark.parametrize("way", [in_main, in_a_thread])


def forever():
    while True:
        time.sleep(0.001)


def stubborn():
    """Catches whatever is raised in it, a few times."""
    for _ in range(3):
        with suppress(BaseException):
            forever()
    forever()


@WAYS
def test_what_ends_in_time_is_returned_and_its_error_passes(way):
    assert way(5, lambda: "done") == "done"
    with pytest.raises(KeyError, match="lost"):
        way(5, lambda: {}["lost"])


@WAYS
@pytest.mark.parametrize("work", [forever, stubborn])
def test_a_loop_that_never_ends_is_stopped_soon_after_its_time(way, work):
    begun = time.monotonic()
    with pytest.raises(Overdue) as stopped:
        way(0.1, work)
    assert 0.1 <= time.monotonic() - begun < 2 and not stopped.value.left_behind


def test_overdue_is_no_exception_that_a_reader_would_catch():
    assert not issubclass(Overdue, Exception)


def test_only_the_first_characters_are_printed(capsys):
    with few_words():
        print("begun")
        print("x" * 2 * limits.PRINTED)
        print("never shown")
    print("after")
    shown = capsys.readouterr().out.splitlines()
    assert shown == ["begun", "x" * (limits.PRINTED - len("begun\n")) + " …", "after"]


@pytest.mark.parametrize("value", [[1, [2, 3]], (torch.ones(3), {"a": [1]}), {"a": [1]}, "text", 3])
def test_an_own_copy_has_the_same_kind_and_content(value):
    copied = own_copies(value)
    assert type(copied) is type(value) and repr(copied) == repr(value)


def test_what_is_done_to_a_copy_spoils_nothing():
    value = [torch.ones(3), {"a": [1]}]
    copied = own_copies(value)
    copied[0].zero_()
    copied[1]["a"].append(2)
    assert value[0].sum() == 3 and value[1] == {"a": [1]}
    endless = iter([1])
    assert own_copies(lambda: endless)() is endless


class Unshowable:
    def __repr__(self):
        raise RuntimeError


@pytest.mark.parametrize(
    "value", ["a\nb" * 500, list(range(10**5)), {i: i for i in range(1000)}, Unshowable()]
)
@pytest.mark.parametrize("room", [20, 120])
def test_a_value_is_shown_in_one_line_of_so_many_characters(value, room):
    shown = short(value, room)
    assert 0 < len(shown) <= room and "\n" not in shown


def test_a_short_value_is_shown_whole_and_a_cut_is_marked():
    assert short([1, 2]) == "[1, 2]" and short("word", of=str) == "word"
    assert short("x" * 50, 10, of=str) == "x" * 9 + "…"
    assert short(Unshowable(), of=str) == "a Unshowable"
