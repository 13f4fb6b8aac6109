"""Two processes joined by gloo do what one does, up to float noise; and when one is lost,
the next start goes on.
"""

import json
import os
import socket
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from small import tiny
from work import DATA, RECIPE, untrained

import featlab as fl
from featlab.constructed import parts_of_robustify
from featlab.engine import chunks, clock, devices, parallel
from featlab.experiments import reports, store
from featlab.training import Training

HERE = Path(__file__).parent
# by the processes that are started
FOUND = os.pathsep.join(str(folder) for folder in (HERE, HERE.parent, HERE.parents[1]))
SCRIPT = (
    "import sys, torch; torch.set_num_threads(1); import test_parallel; "
    "test_parallel.process(sys.argv[1], sys.argv[2])"
)


def experiment(folder: Path) -> None:
    """A set, a training and an accuracy, kept in a folder; everything is saved at once."""
    attack, kept = fl.PGD(fl.L2(0.3), steps=2), store.Store(folder / "cache")
    with pytest.MonkeyPatch.context() as patch, devices.precision("float32"):
        for name, value in {"SAVE_EVERY": 0.0, "SHARE": 1e9, "LOOK": 1}.items():
            patch.setattr(clock, name, value)
        patch.setattr(chunks, "chunk", lambda kind: 16)
        made = kept.dataset(
            "D_R", "same", lambda: parts_of_robustify(tiny(), DATA, fl.Inversion(steps=3, step=0.3))
        )
        kept.model(
            "robust",
            "same",
            untrained(),
            lambda model: Training(model, DATA, recipe=RECIPE, attack=attack, seed=0),
        )
        right = fl.accuracy(tiny(), made, attack)
    reports.write_once(folder / "accuracy.json", [right, right.n])


def process(folder: str, what: str) -> None:
    """What each of two processes does; one that is to be lost ends without a word in its seventh step."""
    step, steps = Training._step, []

    def last(self: Training, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        steps.append(1)
        return step(self, x, y) if len(steps) < 7 else os._exit(9)

    if what == "lose" and os.environ["RANK"] == "1":
        Training._step = last
    with parallel.together():
        experiment(Path(folder))


def two(folder: Path, what: str = "run") -> list[int]:
    """The experiment by two processes, as torchrun would start them: their exit statuses."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = {
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free.getsockname()[1]),
            "WORLD_SIZE": "2",
            "LOCAL_WORLD_SIZE": "2",
        }
    paths = {"PYTHONPATH": FOUND, "OMP_NUM_THREADS": "1", "FEATLAB_DEVICE": "cpu"}
    command = [sys.executable, "-c", SCRIPT, str(folder), what]
    started = [
        subprocess.Popen(command, env={**os.environ, **address, **paths, "RANK": r, "LOCAL_RANK": r})
        for r in ("0", "1")
    ]
    return [one.wait(timeout=240) for one in started]


def measured(folder: Path) -> list:
    """The accuracy, of how many images."""
    return json.loads((folder / "accuracy.json").read_text())


def artifacts(folder: Path) -> dict[str, dict[str, torch.Tensor]]:
    """Every tensor file that a run left, by its name."""
    from safetensors.torch import load_file

    return {path.name: load_file(path) for path in sorted((folder / "cache").glob("*.safetensors"))}


def test_two_processes_do_what_one_does_and_go_on_when_one_was_lost(tmp_path):
    alone, together = tmp_path / "alone", tmp_path / "together"
    experiment(alone)
    statuses = two(together, "lose")
    assert statuses[0] != 0 and statuses[1] == 9 and not (together / "accuracy.json").exists()
    half = [path.name for path in (together / "cache").glob("*.safetensors")]
    # what was made is kept
    assert (
        sum("D-R" in name for name in half) == sum("robust" in name and "steps" in name for name in half) == 1
    )
    assert two(together) == [0, 0]
    ours, theirs = artifacts(alone), artifacts(together)
    assert ours.keys() == theirs.keys() and len(ours) == 2
    for name in ours:
        for key, tensor in ours[name].items():  # the same but for sums taken in another order
            torch.testing.assert_close(
                theirs[name][key].float(), tensor.float(), atol=5e-4, rtol=5e-4, msg=f"{name} {key}"
            )
    assert measured(together) == measured(alone) and measured(alone)[1] == 90


COMMAND = """
import sys
from contextlib import nullcontext
from test_machines import TINY
from featlab import __main__ as command
from featlab.experiments import presets
presets.PRESETS["tiny"] = TINY
sys.exit(command.main(["reproduce", "--preset", "tiny", *sys.argv[1:]]))
"""


def torchrun(script: Path, *words: str) -> subprocess.CompletedProcess:
    """The command by two processes of torchrun."""
    paths = {"PYTHONPATH": FOUND, "OMP_NUM_THREADS": "1", "FEATLAB_DEVICE": "cpu"}
    start = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        str(script),
        *words,
    ]
    return subprocess.run(start, env={**os.environ, **paths}, capture_output=True, text=True, timeout=240)


def test_the_command_by_torchrun_stops_in_time_leaves_what_it_measured_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("FEATLAB_CACHE", str(tmp_path / "cache"))
    script, out = tmp_path / "run.py", tmp_path / "out"
    script.write_text(COMMAND)
    first = torchrun(script, "--out", str(out), "--stop-after", "1s")
    # torchrun does not hand on the 75
    assert first.returncode == 1 and first.stderr.count("Run the same command again") >= 1
    assert [path.name for path in out.glob("*")] in ([], ["fashion-mnist-tiny-partial-seed0.json"]) and list(
        (tmp_path / "cache").glob("*")
    )
    second = torchrun(script, "--out", str(out))
    assert second.returncode == 0, second.stderr
    assert (
        sorted(path.suffix for path in out.glob("*")) == [".html", ".json"]
        and second.stdout.count("wrote") == 1
    )
    report = json.loads((out / "fashion-mnist-tiny-seed0.json").read_text())
    assert report["provenance"]["device"].startswith("2 x CPU") and report["rows"]["D"]["clean"]["n"] == 40


def test_one_process_alone_is_the_first_and_has_everything():
    assert (parallel.world(), parallel.rank(), parallel.my_share(7)) == (1, 0, slice(0, 7))
    tensor = torch.arange(3.0)
    assert (
        parallel.gather(tensor, 3) is tensor
        and parallel.all_sum(tensor) is tensor
        and parallel.broadcast("x") == "x"
    )


@pytest.mark.parametrize("n, size, sizes", [(7, 3, [3, 4]), (8, 3, [3, 3, 2]), (1, 3, [1]), (6, 3, [3, 3])])
def test_no_part_has_fewer_images_than_there_are_processes(n, size, sizes, monkeypatch):
    monkeypatch.setattr(parallel, "world", lambda: 2)
    parts = parallel.shareable(torch.arange(n).split(size))
    assert [len(part) for part in parts] == sizes and torch.equal(torch.cat(parts), torch.arange(n))


@pytest.mark.parametrize("world", [2, 3, 5])
def test_shares_are_whole_and_nearly_equal(world, monkeypatch):
    for n in (5, 6, 16, 17):
        shares = []
        for rank in range(world):
            monkeypatch.setattr(parallel, "world", lambda: world)
            monkeypatch.setattr(parallel, "rank", lambda rank=rank: rank)
            shares.append(list(range(n))[parallel.my_share(n)])
        assert [i for share in shares for i in share] == list(range(n)) and {
            len(share) for share in shares
        } <= {n // world, n // world + 1}
    with pytest.raises(ValueError, match="cannot be shared"):
        parallel.my_share(1)


def test_more_processes_than_gpus_are_refused(monkeypatch):
    for name, value in {
        "WORLD_SIZE": "4",
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "4",
        "FEATLAB_DEVICE": "cuda",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ValueError, match=r"4 processes but 2 GPUs.*--nproc-per-node 2"), parallel.together():
        pass


def test_the_batch_norm_of_one_process_is_the_ordinary_one():
    """The statistics of all processes together are, of one, those of torch: values, gradients,
    running averages.
    """
    norms = [torch.nn.BatchNorm2d(64) for _ in range(2)]
    x = torch.randn(6, 64, 5, 5, generator=torch.Generator().manual_seed(0))
    inputs = [x.clone().requires_grad_() for _ in norms]
    outputs = [norms[0](inputs[0]), parallel.whole_batch_norm(norms[1], inputs[1])]
    for out in outputs:
        (out * torch.linspace(-1, 1, out.numel()).view_as(out)).sum().backward()
    torch.testing.assert_close(outputs[0], outputs[1], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(inputs[0].grad, inputs[1].grad, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(norms[0].running_var, norms[1].running_var)
    torch.testing.assert_close(norms[0].running_mean, norms[1].running_mean)


@pytest.mark.parametrize("fails", [False, True])
def test_the_gpu_of_the_reader_is_the_same_after_as_before(fails, monkeypatch):
    """On a machine whose four GPUs are a number that torch is told."""
    now, during = [2], []

    def exchange(device: int) -> int:
        before, now[0] = now[0], device
        return before

    def join(*arguments, **options):
        if fails:
            raise RuntimeError("nobody answers")

    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    monkeypatch.setattr(torch.cuda, "_exchange_device", exchange)
    monkeypatch.setattr(torch.cuda, "_maybe_exchange_device", exchange)
    for name, value in {
        "init_process_group": join,
        "get_rank": lambda: 3,
        "destroy_process_group": lambda: None,
    }.items():
        monkeypatch.setattr(parallel.dist, name, value)
    for name, value in {
        "WORLD_SIZE": "4",
        "LOCAL_RANK": "3",
        "LOCAL_WORLD_SIZE": "4",
        "FEATLAB_DEVICE": "cuda",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(parallel, "PLACE", None)
    with pytest.raises(RuntimeError, match="nobody") if fails else nullcontext(), parallel.together():
        during.append(now[0])
    assert now == [2] and during == ([] if fails else [3])
