"""How fast featlab's PGD is beside torchattacks and foolbox: same model, images, radius, steps and step size, in one run.

    OMP_NUM_THREADS=2 python benchmarks/attacks.py

Rounds are interleaved, so that all see the same machine; the median round counts. The speeds are comparable where success and length agree.
"""

import argparse
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from torch import Tensor

import featlab as fl
from featlab import engine


def featlab_pgd(model, eps: float, steps: int, step: float, batch: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Ours, which cuts the images into chunks by itself."""
    attack = fl.PGD(fl.L2(eps), steps=steps, step=step)
    return lambda x, y: attack(model, x, y)


def featlab_float32(model, eps: float, steps: int, step: float, batch: int) -> Callable[[Tensor, Tensor], Tensor]:
    """Ours in the reference precision."""
    attack = featlab_pgd(model, eps, steps, step, batch)

    def run(x: Tensor, y: Tensor) -> Tensor:
        with engine.precision("float32"):
            return attack(x, y)

    return run


def in_batches(attack: Callable[[Tensor, Tensor], Tensor], batch: int) -> Callable[[Tensor, Tensor], Tensor]:
    """An attack on batches of the size that its users take."""
    return lambda x, y: torch.cat([attack(a, b) for a, b in zip(x.split(batch), y.split(batch), strict=True)])


def torchattacks_pgd(model, eps: float, steps: int, step: float, batch: int) -> Callable[[Tensor, Tensor], Tensor]:
    import torchattacks

    return in_batches(torchattacks.PGDL2(model, eps=eps, alpha=step, steps=steps, random_start=False), batch)


def foolbox_pgd(model, eps: float, steps: int, step: float, batch: int) -> Callable[[Tensor, Tensor], Tensor]:
    import foolbox

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device=engine.device_of(model))
    attack = foolbox.attacks.L2ProjectedGradientDescentAttack(abs_stepsize=step, steps=steps, random_start=False)
    return in_batches(lambda x, y: attack.run(wrapped, x, y, epsilon=eps), batch)


LIBRARIES = {
    "featlab": featlab_pgd,
    "featlab float32": featlab_float32,
    "torchattacks": torchattacks_pgd,
    "foolbox": foolbox_pgd,
}


def clock(run: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Seconds and result."""
    begun = time.perf_counter()
    result = run()
    if result.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - begun, result


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (("images", 1000), ("steps", 30), ("eps", 0.5), ("batch", 500), ("rounds", 5)):
        options.add_argument(f"--{name}", type=type(value), default=value)
    o = options.parse_args()
    step = 2.5 * o.eps / o.steps
    train, test = fl.load()
    model = fl.train(fl.cnn(), train, epochs=2, seed=0)
    data = test[: o.images]
    x, y = data.pixels, data.labels
    attacks = {name: make(model, o.eps, o.steps, step, o.batch) for name, make in LIBRARIES.items()}
    found = {name: attack(x, y) for name, attack in attacks.items()}  # also warms up
    seconds = {name: [] for name in attacks}
    for _ in range(o.rounds):
        for name, attack in attacks.items():
            seconds[name].append(clock(lambda attack=attack: attack(x, y))[0])
    speed = {name: len(x) * o.steps / statistics.median(s) for name, s in seconds.items()}

    where = torch.cuda.get_device_name() if x.is_cuda else f"{engine.processor()}, {torch.get_num_threads()} threads"
    print(f"torch {torch.__version__} on {where}; {engine.describe_precision()} in featlab")
    print(f"{model.__class__.__name__} of {sum(p.numel() for p in model.parameters()):,} weights, right on {fl.accuracy(model, data)}")
    print(f"L2 PGD, eps {o.eps:g}, {o.steps} steps of {step:.3g}; {len(x)} images in batches of {o.batch}; median of {o.rounds} rounds\n")
    print(f"{'':<16}{'image-steps/s':>14}{'x torchattacks':>16}{'fooled':>9}{'mean length':>13}")
    with engine.precision("float32"):
        for name, z in found.items():
            fooled = (fl.predict(model, z) != y).float().mean().item()
            length = fl.L2(0).norm(z - x).mean().item()
            print(f"{name:<16}{speed[name]:>14,.0f}{speed[name] / speed['torchattacks']:>16.2f}{fooled:>9.1%}{length:>13.4f}")


if __name__ == "__main__":
    main()
