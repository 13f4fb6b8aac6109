"""The released networks: what the laptop preset trains with seed 0, inside the package, as the authors of the
paper released theirs.

Training amplifies the last bit of a processor's arithmetic, so two machines never train the same network.
These are the same everywhere: what a notebook prints about them in float32 is the same number for every
reader. `python -m featlab.embedded.release` makes them anew.
"""

import warnings
from functools import cache
from pathlib import Path

from torch import Tensor

from featlab.engine import files
from featlab.experiments import entries

FOLDER = Path(__file__).parents[1] / "embedded" / "networks"


@cache
def card() -> dict[str, dict]:
    """What was released, by setting: name, file, and how, where, when and how well it was made; empty,
    said once, if it is not there.
    """
    try:
        made = entries.parse((FOLDER / "card.json").read_text(encoding="utf-8"))
        return {network["setting"]: network for network in made["networks"]}
    except (OSError, ValueError, KeyError, TypeError) as error:
        warnings.warn(
            f"the released networks are not in this copy of featlab ({type(error).__name__} at "
            f"{FOLDER / 'card.json'}): what needs them is "
            "made here when it is first asked for, and its numbers differ from those in the "
            "text. A fresh installation brings them back",
            stacklevel=2,
        )
        return {}


def find(setting: str) -> dict[str, Tensor] | None:
    """The released tensors of this setting, of any shape, or None if there are none or, with a warning,
    if the file is not what was released.
    """
    network = card().get(setting)
    return files.read_tensors(FOLDER / network["file"], setting) if network else None
