"""The experiments that the command line knows, by name.

Each stands in a module of this folder, which has PRESETS, `begin` (preset, seed, size -> run), `pieces`
(run -> list of Piece) and `report` (run -> dict); and perhaps FOR_DATA, the preset of a dataset where none is
named, KIND, what its presets are called, and `text_table` (report -> text).
"""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType

# measured: in the stored reports (Intel Xeon, one thread, bfloat16 convolutions, 2026-11-22); counted: by
# passes of images through the network, beside those of reproduce
TIMES = {
    "reproduce": "about 7 minutes of one core (4 measured, for the paper's rows; 3 counted)",
    "appendix": "about 22 minutes of one core (measured, laptop preset)",
    "spectra": "12 to 21 minutes of one core (measured, laptop preset)",
    "sweep": "about 6 minutes of one core (counted, laptop preset)",
    "teachers": "about 7 minutes of one core (counted, laptop preset)",
    "debate": "about 5 minutes of one core (counted, laptop preset)",
    "figure3": "about 4 minutes of one core (counted, laptop preset)",
    "converse": "about 3 minutes of one core (counted, laptop preset)",
}
BY_DATA = "laptop, quick; small, trial, ten-minutes or paper for cifar10 (default: by --data)"


@dataclass(frozen=True)
class Experiment:
    """One experiment as it is offered: its name, which is that of its module, and what it measures.

    presets  which there are, in words
    row      whether it is about one row of the table, which must be named
    example  options that one may give
    """

    name: str
    help: str
    presets: str = "laptop (default) or quick"
    row: bool = False
    example: str = "--seed 1 --stop-after 9m"

    @property
    def time(self) -> str:
        """What its laptop preset takes, in words."""
        return TIMES.get(self.name, "not measured; with --stop-after it says beforehand what it will take")

    @property
    def room(self) -> ModuleType:
        """Its module, loaded when it is first asked for."""
        return import_module(f"featlab.experiments.{self.name}")


REPRODUCE = "the evidence of sections 3.1 and 3.2: models, constructed datasets, retraining, accuracies"
APPENDIX = "the further rows of appendix D: from noise, stronger attacks, robust test images ..."
SWEEP = "which recipe the student of a constructed set needs"
TEACHERS = "which teacher's adversarial examples teach most (notebook 04)"
SPECTRA = "how useful and how robust each unit of a network is (notebook 01)"
DEBATE = "objections to the paper and later findings as experiments (notebook 06)"
_FIGURE3 = "what architectures learn from D_det, and what transfers to them (notebook 05)"
CONVERSE = "what is learned from examples made not to transfer (notebook 05)"
SIGNAL = "equations (4), (7), (8): how useful which features are under each set"
_BESIDE = "what the table lacks: further controls, poison, and learning from static"
ALL = (
    Experiment("reproduce", REPRODUCE, presets=BY_DATA),
    Experiment("appendix", APPENDIX, presets=BY_DATA),
    Experiment("sweep", SWEEP, presets=BY_DATA, row=True, example="--row D_det"),
    Experiment("teachers", TEACHERS, presets="laptop (default), quick, or small for cifar10"),
    Experiment("spectra", SPECTRA),
    Experiment("debate", DEBATE, presets=BY_DATA),
    Experiment("figure3", _FIGURE3, presets="laptop (default), quick or cifar10"),
    Experiment("converse", CONVERSE, presets="laptop (default), quick or cifar10"),
    Experiment("signal", SIGNAL, presets=BY_DATA),
    Experiment("beside", _BESIDE, presets=BY_DATA),
)
EXPERIMENTS = {experiment.name: experiment for experiment in ALL}
