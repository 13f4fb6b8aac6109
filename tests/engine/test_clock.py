"""When work is saved: as often as an interruption may cost, and never for much of the time."""

from featlab.engine import clock, parallel


def test_saving_takes_a_fiftieth_of_the_time_at_most(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    saving, saves = clock.Saving(), []

    def save():
        now[0] += 3.0
        saves.append(now[0])

    for step in range(2000):
        now[0] += 1.0
        if saving.due(step):
            saving.by(save)
    assert 3 * len(saves) <= 0.021 * now[0] and len(saves) >= 10


def test_saving_gives_back_what_was_saved_and_counts_from_its_end(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(clock.time, "monotonic", lambda: now[0])
    saving = clock.Saving()

    def save():
        now[0] += 0.01
        return "saved"

    now[0] = clock.SAVE_EVERY + 1
    assert saving.due(0) and saving.by(save) == "saved" and not saving.due(0)
    now[0] += clock.SAVE_EVERY + 0.1
    assert saving.due(0)


def test_several_processes_look_at_the_clock_at_every_tenth_item_only(monkeypatch):
    monkeypatch.setattr(parallel, "world", lambda: 2)
    saving = clock.Saving()
    saving.last -= 1e6
    assert not any(saving.due(item) for item in range(1, clock.LOOK))
