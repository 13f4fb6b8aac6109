"""Stochastic gradient descent with momentum and weight decay on one model, and the running average of its
weights.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd


class Optimiser:
    """What moves a model's weights, and the state that it needs to go on.

    momentum, weight_decay  of the descent
    average                 how much of the running average of the weights stays at each step; 0 for none
    """

    def __init__(self, model: nn.Module, *, momentum: float, weight_decay: float, average: float):
        self.model, self.average = model, average
        self.momentum, self.weight_decay = momentum, weight_decay
        self.momenta: dict[str, Tensor] = {}
        self.refresh()
        self.averaged = {n: t.detach().clone() for n, t in self.floats.items()} if average else {}
        # a mask may hold -inf
        self.finite = {name for name, t in self.floats.items() if bool(t.isfinite().all())}

    def refresh(self) -> None:
        """Look at the model's tensors anew: they may lie elsewhere now. All real numbers are averaged."""
        state = self.model.state_dict()
        self.floats = {name: t for name, t in state.items() if t.is_floating_point()}

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """One step along the gradients that the parameters hold, at this learning rate.

        SGD is called as a function: as a class it loads torch's compiler (150 MB and 1.2 s, measured).
        """
        moving = {name: p for name, p in self.model.named_parameters() if p.grad is not None}
        momenta = [self.momenta.get(name) for name in moving]
        sgd(
            [*moving.values()],
            [p.grad for p in moving.values() if p.grad is not None],
            momenta,
            lr=rate,
            momentum=self.momentum,
            weight_decay=self.weight_decay,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )
        found = zip(moving, momenta, strict=True)
        self.momenta = {name: momentum for name, momentum in found if momentum is not None}
        if self.averaged:
            averages = [self.averaged[name] for name in self.floats]
            torch._foreach_lerp_(averages, [*self.floats.values()], 1 - self.average)

    def broken(self) -> str:
        """The first of the model's tensors that was finite and is no longer; "" if there is none."""
        tensors = ((name, t) for name, t in self.floats.items() if name in self.finite)
        return next((name for name, t in tensors if not bool(t.isfinite().all())), "")

    def finish(self) -> None:
        """Give the model the average of its weights, if there is one."""
        if self.averaged:
            self.model.load_state_dict(self.averaged, strict=False)

    @property
    def state(self) -> dict[str, Tensor]:
        """Everything needed to go on, the model included: tensors of any shape by name."""
        parts = {"model": self.model.state_dict(), "momentum": self.momenta, "average": self.averaged}
        return {f"{part}.{name}": t for part, tensors in parts.items() for name, t in tensors.items()}

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from a `state`, tensors of any shape by name. KeyError or RuntimeError if the names are not
        those of this model.
        """
        weights = self.model.state_dict()

        def part(prefix: str) -> dict[str, Tensor]:
            tensors = {k.removeprefix(prefix): t for k, t in state.items() if k.startswith(prefix)}
            # laid out in memory as the weights are
            return {name: torch.empty_like(weights[name]).copy_(t) for name, t in tensors.items()}

        self.model.load_state_dict(part("model."))
        self.averaged, self.momenta = part("average."), part("momentum.")
