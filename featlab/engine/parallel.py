"""Several processes as one: torchrun starts them, they share each batch and each chunk, and only the first
touches the disk.

Everything here does nothing in a single process, so that no other room asks how many there are.
"""

import datetime
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import MethodType
from typing import Any, TypeVar, overload

import torch
import torch.distributed as dist
from torch import Tensor, nn

from featlab.engine import devices

_T = TypeVar("_T")
PLACE: int | None = (
    None  # the number of this process among several, once they are together; kept when they part
)
# seconds until a process that does not answer counts as lost
_PATIENCE = float(os.environ.get("FEATLAB_PATIENCE", 600))


def world() -> int:
    """How many processes there are."""
    return dist.get_world_size() if dist.is_available() and dist.is_initialized() else 1


def rank() -> int:
    """The number of this process, 0 for the first."""
    return dist.get_rank() if world() > 1 else 0


def say(*words: object) -> None:
    """Print, in the first process."""
    if not rank():
        print(*words, flush=True)


@contextmanager
def together() -> Iterator[None]:
    """Join the processes that torchrun started, if it did: over nccl with a GPU each, over gloo on CPUs."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1:
        yield
        return
    gpus = torch.cuda.device_count() if os.environ.get("FEATLAB_DEVICE", "cuda") == "cuda" else 0
    local, here = int(os.environ["LOCAL_RANK"]), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if 0 < gpus < here:
        raise ValueError(f"{here} processes but {gpus} GPUs on this machine: say --nproc-per-node {gpus}")
    with torch.cuda.device(local) if gpus else nullcontext():
        dist.init_process_group(
            "nccl" if gpus and devices.usable_gpu() else "gloo", timeout=datetime.timedelta(seconds=_PATIENCE)
        )
        global PLACE
        PLACE = dist.get_rank()
        try:
            yield
        finally:
            time.sleep(
                0.2
                # gloo's threads drop their last tensors, which takes Python's lock; what follows holds it and
                # waits for them
            )
            dist.destroy_process_group()


def my_share(n: int) -> slice:
    """Which of n rows are this process's."""
    if n < world():
        raise ValueError(
            f"{n} images cannot be shared by {world()} processes: choose another batch, or fewer processes"
        )
    return slice(n * rank() // world(), n * (rank() + 1) // world())


def shareable(parts: tuple[Tensor, ...]) -> list[Tensor]:
    """The parts (m, ...), the last joined to the one before where its rows are fewer than the processes."""
    *first, last = parts
    return [*first[:-1], torch.cat([first[-1], last])] if first and len(last) < world() else list(parts)


def where() -> torch.device:
    """Where tensors must lie to be sent."""
    return torch.device("cuda" if world() > 1 and dist.get_backend() == "nccl" else "cpu")


def broadcast(value: _T) -> _T:
    """The first process's value, in every process."""
    if world() == 1:
        return value
    box = [value]
    dist.broadcast_object_list(box, device=where())
    return box[0]


def barrier() -> None:
    """Wait until every process is here."""
    all_sum(torch.zeros(1, device=where())).item()


def leads() -> bool:
    """Whether this is the first process of its machine."""
    return world() == 1 or int(os.environ.get("LOCAL_RANK", rank())) == 0


@overload
def broadcast_tensors(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The first process's tensors, of any shape."""


@overload
def broadcast_tensors(tensors: dict[str, Tensor] | None) -> dict[str, Tensor] | None:
    """The first process's tensors, of any shape, or its None."""


def broadcast_tensors(tensors: dict[str, Tensor] | None) -> dict[str, Tensor] | None:
    """The first process's tensors by name, of any shape, or its None, in every process."""
    if world() == 1:
        return tensors
    own = tensors or {}
    forms = broadcast(None if tensors is None else {name: (t.shape, t.dtype) for name, t in own.items()})
    if forms is None:
        return None
    sent = {}
    for name, (shape, dtype) in forms.items():
        sent[name] = (
            own[name].to(where()).contiguous()
            if rank() == 0
            else torch.empty(shape, dtype=dtype, device=where())
        )
        flat = sent[name].view(torch.uint8) if sent[name].ndim else sent[name].view(1).view(torch.uint8)
        dist.broadcast(flat, 0)
    return sent


def gather(rows: Tensor, n: int) -> Tensor:
    """All n rows in every process, from the share of each (`my_share`): (m, ...) -> (n, ...)."""
    if world() == 1:
        return rows
    most = -(-n // world()) + 1
    sent = torch.zeros((most, *rows.shape[1:]), dtype=rows.dtype, device=where())
    sent[: len(rows)] = rows
    parts = [torch.empty_like(sent) for _ in range(world())]
    dist.all_gather(parts, sent)
    sizes = [n * (r + 1) // world() - n * r // world() for r in range(world())]
    return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)]).to(rows.device)


def all_sum(tensor: Tensor) -> Tensor:
    """The sum of a tensor of any shape over all processes, in place."""
    if world() > 1:
        dist.all_reduce(tensor)
    return tensor


def sum_gradients(model: nn.Module, measured: Tensor) -> Tensor:
    """Let every process hold the sum of all gradients, and give that of `measured` (m,): one message for
    both.
    """
    if world() == 1:
        return measured
    gradients = [p.grad for p in model.parameters() if p.grad is not None]
    flat = all_sum(torch.cat([measured, *(g.reshape(-1) for g in gradients)]))
    pieces = flat[len(measured) :].split([g.numel() for g in gradients])
    for gradient, piece in zip(gradients, pieces, strict=True):
        gradient.copy_(piece.view_as(gradient))
    return flat[: len(measured)]


class AllSum(torch.autograd.Function):
    """The sum over all processes, through which gradients flow back to each."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        """The sum of a tensor of any shape over all processes, as a new tensor."""
        return all_sum(tensor.clone())

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        """The sum of all processes' gradients, of any shape: each process's tensor is part of every sum."""
        return all_sum(gradient.contiguous().clone())


def whole_batch_norm(norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
    """Batch-norm (n, c, h, w) -> (n, c, h, w) with the statistics of the batch of all processes together; in
    eval mode the ordinary one.
    """
    if not norm.training:
        return type(norm).forward(norm, x)
    v, axes = x.float(), (0, 2, 3)
    count = all_sum(torch.full((), float(x.numel() // x.shape[1]), device=x.device))
    mean = AllSum.apply(v.sum(axes)) / count
    centred = v - mean[:, None, None]
    variance = AllSum.apply(centred.square().sum(axes)) / count
    _track(norm, mean, variance, count)
    scale = norm.weight * (variance + norm.eps).rsqrt()
    return (centred * scale[:, None, None] + norm.bias[:, None, None]).to(x.dtype)


@torch.no_grad()
def _track(norm: nn.BatchNorm2d, mean: Tensor, variance: Tensor, count: Tensor) -> None:
    """Let the running statistics follow those of a batch, where a batch-norm keeps some."""
    if norm.running_mean is None or norm.running_var is None or norm.num_batches_tracked is None:
        return
    norm.num_batches_tracked += 1
    share = 1 / norm.num_batches_tracked.item() if norm.momentum is None else norm.momentum
    norm.running_mean.lerp_(mean, share)
    norm.running_var.lerp_(variance * count / (count - 1), share)


@contextmanager
def as_one(model: nn.Module) -> Iterator[None]:
    """Within this block the model trains on its share of a batch as it would on the whole."""
    norms = [part for part in model.modules() if type(part) is nn.BatchNorm2d] if world() > 1 else []
    for norm in norms:
        vars(norm)["forward"] = MethodType(whole_batch_norm, norm)
    try:
        yield
    finally:
        for norm in norms:
            del vars(norm)["forward"]


def same_weights(model: nn.Module) -> None:
    """Let every process begin with the first one's weights."""
    if world() > 1:
        model.load_state_dict(broadcast_tensors(model.state_dict()))
