"""A shelf notes what each artifact took, and holds in memory what cannot be written."""

import pytest
from small import same, snapshot
from storing import Counting, construct_in, equal, train_in

from featlab.engine import chunks, clock
from featlab.experiments.store import Store


@pytest.fixture(autouse=True)
def parts_of_a_hundred(monkeypatch):
    """The number of parts is the test's, not the processor's."""
    monkeypatch.setattr(chunks, "chunk", lambda kind: 100)
    monkeypatch.setattr(clock, "SHARE", 1e9)  # saving may take as long as it likes


def test_the_time_that_something_took_is_remembered(tmp_path):
    first, second = Store(tmp_path), Store(tmp_path)
    train_in(first), train_in(second)
    assert first.seconds["net"] == second.seconds["net"] > 0


def test_a_store_takes_its_folder_as_a_string_too(tmp_path):
    assert Store(str(tmp_path)).path("net", "recipe", ".json") == Store(tmp_path).path(
        "net", "recipe", ".json"
    )


def test_where_nothing_can_be_kept_everything_is_given_back_kept_in_memory_and_said_once(tmp_path):
    (tmp_path / "file").write_text("in the way")
    count, store = Counting(), Store(tmp_path / "file" / "cache")
    store = Store(store.folder, count)
    ask = lambda store: (train_in(store), construct_in(store), store.value("accuracy", "one", lambda: [0.5]))  # noqa: E731
    with pytest.warns(UserWarning) as said:
        model, data, value = ask(store)
        done = count.done
        # what is handed out is the reader's own
        (model.head.weight.data.zero_(), data.images.zero_(), value.append(1))
        again = ask(store)
    assert count.done == done and len(said) == 1 and "stays in memory" in str(said[0].message)
    model, data, value = ask(Store(tmp_path / "fine"))
    assert same(snapshot(again[0]), snapshot(model)) and equal(again[1], data) and again[2] == value == [0.5]
