"""How fast work runs, and where: devices and precision, chunks, frozen copies of models, recorded steps,
processes, files.
"""

from typing import Any


def __getattr__(name: str) -> Any:
    if name == "precision":  # what notebooks ask the engine for
        from featlab.engine.devices import precision

        return precision
    raise AttributeError(f"featlab.engine has no {name!r}")
