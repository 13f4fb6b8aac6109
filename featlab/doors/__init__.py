"""The one door that brings model, data and attack together: device, type, shape and range, looked at once;
inside nothing is.

What can be taken is taken (a wrapped output, numpy, float64, another device); the rest is refused in a
sentence.
"""

from featlab.doors.attacks import (
    attacked,
    attempted,
    check_attack,
    check_untargeted,
    like,
    refuse,
    sound,
)
from featlab.doors.data import check_columns, classes_in, dataset, exact, greatest, placed, targets
from featlab.doors.gradients import BLIND, blindness, say_blind, settled
from featlab.doors.models import Logits, asked, check_trainable, enter, network, representing, thread_safe

__all__ = [
    "BLIND",
    "Logits",
    "asked",
    "attacked",
    "attempted",
    "blindness",
    "check_attack",
    "check_columns",
    "check_trainable",
    "check_untargeted",
    "classes_in",
    "dataset",
    "enter",
    "exact",
    "greatest",
    "like",
    "network",
    "placed",
    "refuse",
    "representing",
    "say_blind",
    "settled",
    "sound",
    "targets",
    "thread_safe",
]
