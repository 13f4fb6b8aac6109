"""One step of an attack as a CUDA graph: recorded once for a shape, then replayed without Python's help.

A step is a function of tensors only: (z, x, target, length) -> (z', loss). What it reads besides, the
network's weights, stays in place. It is recorded when the same shape has come often enough to pay; whatever
fails is run plainly, with a warning. On a GPU the environment variable FEATLAB_STEPS says "graph" (the
default), "compile" (torch.compile on the network as well) or "plain"; FEATLAB_TRAINING says how trainings
run, "plain" (the default) or "compile".
"""

import os
import warnings
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
from torch import Tensor

MODES = {"FEATLAB_STEPS": ("graph", "compile", "plain"), "FEATLAB_TRAINING": ("plain", "compile")}
REPEATS = 100  # steps of one shape before it is recorded, which takes about as long as many steps
KEPT = 2  # recordings a network: each keeps the activations of its shape
RECORDERS = ("cuda",)  # devices that can record
_given_up: set[str] = (
    set()
)  # those on which a recording broke off: it may leave the memory for the next in disorder
Step = Callable[..., tuple[Tensor, Tensor]]  # (z, x, target, length) -> z', loss


def can_record(kind: str) -> bool:
    """Whether this kind of device, "cpu" or "cuda", records, and has not broken a recording off."""
    return kind in RECORDERS and kind not in _given_up


def mode(of: str = "FEATLAB_STEPS") -> str:
    """How steps, or trainings, are run on a GPU."""
    wished = os.environ.get(of, MODES[of][0])
    if wished not in MODES[of]:
        raise ValueError(
            f"the environment variable {of} is {wished!r}: set it to one of "
            f"{', '.join(MODES[of])}, or not at all"
        )
    return wished


class Recording:
    """A step with inputs and outputs at fixed places, and `replay`,
    which computes the outputs from the inputs.
    """

    outputs: tuple[Tensor, Tensor]

    def __init__(self, step: Step, *inputs: Tensor):
        self.inputs = [t.detach().clone() for t in inputs]
        self.replay = record_graph(lambda: step(*self.inputs), self)

    def __call__(self, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The outputs z' (n, ...) and loss (n,) for inputs of the shapes that were recorded, copied to their
        places.
        """
        for place, tensor in zip(self.inputs, inputs, strict=True):
            if place.data_ptr() != tensor.data_ptr():
                place.copy_(tensor)
        self.replay()
        z, loss = self.outputs
        return z.clone(), loss.clone()


@cache
def beside(device: int) -> torch.cuda.Stream:
    """The stream on which this GPU records: one for all, since each keeps a workspace of its own."""
    return torch.cuda.Stream(device)


def record_graph(run: Callable[[], tuple[Tensor, Tensor]], recording: Recording) -> Callable[[], None]:
    """Record `run` on the GPU; its outputs lie in recording.outputs
    and are computed anew by what this returns.
    """
    aside = beside(torch.cuda.current_device())
    aside.wait_stream(torch.cuda.current_stream())
    # as CUDA wants it: warm up beside, so that nothing is set up during the recording
    with torch.cuda.stream(aside):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    # other threads may go on meanwhile
    with torch.cuda.graph(graph, stream=aside, capture_error_mode="thread_local"):
        recording.outputs = run()
    return graph.replay


class Steps:
    """The recordings of one network, by kind of step and shape: `run` counts, records when it pays,
    and replays.
    """

    def __init__(self) -> None:
        self.seen: dict[tuple, int] = {}
        self.recorded: dict[tuple, Recording | None] = {}

    def run(self, key: tuple, step: Step, compile: Callable | None, *inputs: Tensor) -> tuple[Tensor, Tensor]:
        """step(*inputs), that is z' (n, ...) and loss (n,), from a recording if there is one for this key and
        these shapes; `compile` comes before a recording.
        """
        key = (*key, *((t.shape, t.dtype) for t in inputs))
        self.seen[key] = self.seen.get(key, 0) + 1
        if key not in self.recorded and self.seen[key] > REPEATS:
            if len(self.recorded) == KEPT:
                self.recorded.pop(next(iter(self.recorded)))
                self.seen = {}  # whatever is to be recorded again has to show its worth again
            if compile:
                compile(inputs[0].shape)
            self.recorded[key] = recording_of(step, inputs)
        return (self.recorded.get(key) or step)(*inputs)


def recording_of(step: Step, inputs: tuple[Tensor, ...]) -> Recording | None:
    """The step recorded for inputs such as these, z (n, ...) the first; None, with a warning, where that
    fails for another reason than memory. torch.OutOfMemoryError where memory runs out.
    """
    try:
        return Recording(step, *inputs)
    except torch.OutOfMemoryError:
        raise
    except RuntimeError as error:
        # which broke the recording off, and that is what is said last
        if isinstance(error.__context__, torch.OutOfMemoryError):
            raise error.__context__ from None
        _given_up.add(inputs[0].device.type)
        warnings.warn(
            f"steps cannot be recorded as a CUDA graph here and run plainly ({error})", stacklevel=2
        )
        return None


def stepper(network: Any, key: tuple, step: Step, kind: str) -> Step:
    """`step`, recorded where `network` is a frozen copy (it has `graphs`) on a device that can record;
    else `step` itself.
    """
    if not can_record(kind) or mode() == "plain" or not hasattr(network, "graphs"):
        return step
    kept, compile = (
        network.graphs.setdefault("steps", Steps()),
        network.compile if mode() == "compile" else None,
    )
    return lambda z, x, target, length: kept.run(
        key, step, compile, z, x, target, torch.full((), length, device=z.device)
    )
