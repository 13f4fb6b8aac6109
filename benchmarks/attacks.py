"""How fast featlab's PGD is beside torchattacks, foolbox and the authors' library: same model, images, radius
and steps, in one run.

    pip install --no-deps robustness cox dill tensorboardX pandas protobuf      # the authors' library with
                                                                                what its attacker imports
    OMP_NUM_THREADS=2 python benchmarks/attacks.py                              # the laptop's network
    python benchmarks/attacks.py --model resnet18 --images 4000 --batch 1000    # on a GPU

Rounds are interleaved, so that all see the same machine; the median round counts. The speeds are comparable
where success and length agree. "authors" is their library (robustness on PyPI; its attacker alone, without
the pass that follows it); it asks for a GPU in one line, which on a CPU is made to do nothing. "authors'
loop" is written here after its attacker.py and attack_steps.py, for where it is not installed: mean loss,
parameters that ask for gradients, the best iterate kept by boolean indices, projection by renorm. What is not
installed is left out and said.
"""

import argparse
import copy
import statistics
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import featlab as fl
from featlab import models
from featlab.engine import devices
from featlab.experiments import reports
from featlab.experiments import speed as rate
from featlab.types import Dataset

Run = Callable[[Tensor, Tensor], Tensor]


def featlab_pgd(model, eps: float, steps: int, step: float, batch: int) -> Run:
    """Ours, which cuts the images into chunks by itself."""
    attack = fl.PGD(fl.L2(eps), steps=steps, step=step)
    return lambda x, y: attack(model, x, y)


def featlab_float32(model, eps: float, steps: int, step: float, batch: int) -> Run:
    """Ours in the reference precision."""
    attack = featlab_pgd(model, eps, steps, step, batch)

    def run(x: Tensor, y: Tensor) -> Tensor:
        with devices.precision("float32"):
            return attack(x, y)

    return run


def in_batches(attack: Run, batch: int) -> Run:
    """An attack on batches of the size that its users take, in torch's own default precision,
    which our runs before it may have left.
    """

    def run(x: Tensor, y: Tensor) -> Tensor:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = True, False
        return torch.cat([attack(a, b) for a, b in zip(x.split(batch), y.split(batch), strict=True)])

    return run


def authors_loop(model, eps: float, steps: int, step: float, batch: int) -> Run:
    """The loop of the authors' library, use_best as it is by default."""

    def attack(x0: Tensor, y: Tensor) -> Tensor:
        x, best, best_loss = x0, None, None
        for i in range(steps + 1):
            x = x.clone().detach().requires_grad_(True)
            losses = F.cross_entropy(model(x), y, reduction="none")
            with torch.no_grad():
                if best is None:
                    best, best_loss = x.clone().detach(), losses.clone().detach()
                else:
                    better = best_loss < losses
                    best[better] = x[better].clone().detach()
                    best_loss[better] = losses[better]
            if i == steps:
                return best
            (gradient,) = torch.autograd.grad(losses.mean(), [x])
            with torch.no_grad():
                norms = gradient.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
                moved = x + gradient / (norms + 1e-10) * step - x0
                x = torch.clamp(x0 + moved.renorm(p=2, dim=0, maxnorm=eps), 0, 1)

    return in_batches(attack, batch)


def authors_library(model, eps: float, steps: int, step: float, batch: int) -> Run:
    from robustness.attacker import AttackerModel

    if not torch.cuda.is_available():
        Tensor.cuda = lambda tensor, *_, **__: tensor
    unit = SimpleNamespace(mean=torch.zeros(1), std=torch.ones(1))
    attacker = AttackerModel(model, unit).to(devices.device_of(model)).eval().attacker
    # our networks standardise by themselves; its own layer would clamp before, and so lose the gradient of
    # every black pixel
    knobs = {
        "constraint": "2",
        "eps": eps,
        "step_size": step,
        "iterations": steps,
        "should_normalize": False,
        "do_tqdm": False,
    }
    return in_batches(lambda x, y: attacker(x, y, **knobs), batch)


def torchattacks_pgd(model, eps: float, steps: int, step: float, batch: int) -> Run:
    import torchattacks

    return in_batches(torchattacks.PGDL2(model, eps=eps, alpha=step, steps=steps, random_start=False), batch)


def foolbox_pgd(model, eps: float, steps: int, step: float, batch: int) -> Run:
    import foolbox

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrapped = foolbox.PyTorchModel(model, bounds=(0, 1), device=devices.device_of(model))
    attack = foolbox.attacks.L2ProjectedGradientDescentAttack(
        abs_stepsize=step, steps=steps, random_start=False
    )
    return in_batches(lambda x, y: attack.run(wrapped, x, y, epsilon=eps), batch)


AUTHORS, LOOP = "authors", "authors' loop"
LIBRARIES = {
    "featlab": featlab_pgd,
    "featlab float32": featlab_float32,
    AUTHORS: authors_library,
    LOOP: authors_loop,
    "torchattacks": torchattacks_pgd,
    "foolbox": foolbox_pgd,
}


def installed(model, *numbers) -> dict[str, Run]:
    """The attacks whose libraries are there; others get the model in the usual layout,
    as their users have it (some need that).
    """
    usual = copy.deepcopy(model).to(memory_format=torch.contiguous_format)
    attacks = {}
    for name, make in LIBRARIES.items():
        try:
            attacks[name] = make(model if name.startswith("featlab") else usual, *numbers)
        except Exception as error:  # not installed, or not for these versions of torch and numpy
            print(f"{name} is left out ({error})")
    return attacks


def clock(run: Callable[[], Tensor]) -> tuple[float, Tensor]:
    """Seconds and result."""
    begun = time.perf_counter()
    result = run()
    if result.is_cuda:
        torch.cuda.synchronize()
    return time.perf_counter() - begun, result


def in_colour(data: Dataset) -> Dataset:
    """Grey images of 28x28 in the shape of CIFAR-10: a black margin, three equal channels."""
    return Dataset(
        F.pad(data.images, (2, 2, 2, 2)).expand(-1, 3, -1, -1).contiguous(), data.labels, data.classes
    )


def subject(name: str) -> tuple[nn.Module, Dataset]:
    """A network trained for two epochs on the embedded images, and images to attack."""
    train, test = fl.load()
    if name != "cnn":
        train, test = in_colour(train), in_colour(test)
    train = train if train.images.is_cuda or name == "cnn" else train[:1000]
    data = Dataset(
        torch.cat([test.images, train.images]), torch.cat([test.labels, train.labels]), test.classes
    )
    return fl.train(models.build(name, train), train, epochs=2, lr=0.1, seed=0), data


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, value in (
        ("images", 1000),
        ("steps", 30),
        ("eps", 0.5),
        ("batch", 500),
        ("rounds", 5),
        ("model", "cnn"),
    ):
        options.add_argument(f"--{name}", type=type(value), default=value)
    options.add_argument("--out", type=Path, help="folder for a json of the table")
    o = options.parse_args()
    step = 2.5 * o.eps / o.steps
    model, data = subject(o.model)
    data = data[: o.images]
    x, y = data.pixels, data.labels
    attacks = installed(model, o.eps, o.steps, step, o.batch)
    found = {name: attack(x, y) for name, attack in attacks.items()}  # also warms up
    seconds = {name: [] for name in attacks}
    for _ in range(o.rounds):
        for name, attack in attacks.items():
            seconds[name].append(clock(lambda attack=attack: attack(x, y))[0])
    speed = {name: len(x) * o.steps / statistics.median(s) for name, s in seconds.items()}
    table(o, model, data, found, speed)


def table(
    o: argparse.Namespace, model: nn.Module, data: Dataset, found: dict[str, Tensor], speed: dict[str, float]
) -> None:
    """Print, and write if wished, speed, success and length of each attack."""
    made, rows, base = reports.provenance(), {}, speed.get(AUTHORS, speed[LOOP])
    print(f"torch {torch.__version__} on {made['device']}; {devices.describe_precision()} in featlab")
    print(
        f"{o.model} of {sum(p.numel() for p in model.parameters()):,} weights, right on "
        f"{fl.accuracy(model, data)}"
    )
    print(
        f"L2 PGD, eps {o.eps:g}, {o.steps} steps; {len(data)} images in batches of {o.batch}; "
        f"median of {o.rounds} rounds\n"
    )
    print(
        f"{'':<16}{'image-steps/s':>14}{'of the peak':>13}{'x authors':>12}{'fooled':>9}{'mean length':>13}"
    )
    work, best = 2 * rate.flops(model, data.images.shape[1:]), rate.peak(data.device.type)
    with devices.precision("float32"):
        for name, z in found.items():
            fooled = (fl.predict(model, z) != data.labels).float().mean().item()
            length = fl.L2.norm(z - data.pixels).mean().item()
            share = speed[name] * work / best
            measured = {"image-steps/s": round(speed[name]), "share": round(share, 4)}
            rows[name] = measured | {"fooled": round(fooled, 4), "length": round(length, 4)}
            print(
                f"{name:<16}{speed[name]:>14,.0f}{share:>13.1%}{speed[name] / base:>12.2f}"
                f"{fooled:>9.1%}{length:>13.4f}"
            )
    if o.out:
        settings = {name: value for name, value in vars(o).items() if name != "out"}
        where = "-cuda" if data.device.type == "cuda" else ""
        reports.write_once(
            o.out / f"attacks-{o.model}{where}.json", {"settings": settings, "provenance": made, "rows": rows}
        )


if __name__ == "__main__":
    main()
