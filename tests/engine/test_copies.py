"""Whatever a reader hands in: what is measured is the model in eval mode,
and the model stays bit by bit as it was.
"""

import gc
import warnings
import weakref

import pytest
import torch
from networks import CHANGES, MODELS, hooked, ready, state, untouched
from small import tiny
from torch import nn

import featlab as fl
from featlab.engine import devices, freezing


def truth(model, x):
    model.eval()
    torch.manual_seed(5)
    out = model(x.to(devices.dtype_of(model)))
    model.train()
    return out.detach()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:attacks and measurements run")
def test_what_is_measured_is_the_model_which_stays_as_it_was(name):
    model, x, y = ready(name), torch.rand(6, 1, 8, 8), torch.zeros(6, dtype=torch.long)
    before = state(model)
    torch.manual_seed(5)
    freezing.frozen(model)(x)  # proves the copy, with draws of its own
    torch.manual_seed(5)
    got = freezing.frozen(model)(x).detach()
    fl.PGD(fl.L2(0.1), steps=2)(model, x, y)
    fl.predict(model, x)
    assert untouched(before, state(model))
    if name != "eval merges":  # whose eval() and train() are not each other's reverse, bit by bit
        torch.testing.assert_close(got, truth(model, x).to(got.dtype), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.filterwarnings("ignore:attacks and measurements run")
def test_what_changes_after_the_first_use_is_seen(name):
    model, x = ready("plain"), torch.rand(6, 1, 8, 8)
    freezing.frozen(model)(x)
    CHANGES[name](model)
    torch.testing.assert_close(freezing.frozen(model)(x).detach(), truth(model, x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.filterwarnings("ignore:attacks and measurements run")
def test_what_is_kept_of_a_model_dies_with_it(name):
    model = ready(name)
    freezing.frozen(model)(torch.rand(2, 1, 8, 8))
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None


def test_that_no_copy_is_used_is_said_once():
    model, x = hooked(ready("plain")), torch.rand(2, 1, 8, 8)
    with pytest.warns(UserWarning, match="itself, not a faster copy of it: .*hooks"):
        fl.predict(model, x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fl.predict(model, x)


def test_hooks_see_each_image_once():
    model, seen = tiny(), []
    model.body[1].register_forward_hook(lambda part, given, out: seen.append(len(out)))
    with pytest.warns(UserWarning, match="hooks"):
        fl.predict(model, torch.rand(5, 1, 8, 8))
    assert sum(seen) == 5


def test_a_network_in_training_mode_inside_a_function_keeps_its_statistics_and_is_said():
    model = ready("plain")
    before = model.n.running_mean.clone()
    with pytest.warns(UserWarning, match=r"training mode.*eval\(\)"):
        fl.predict(lambda x: model(x), torch.rand(8, 1, 8, 8))
    assert torch.equal(before, model.n.running_mean)


def test_a_model_without_values_or_shapes_is_refused_in_words():
    with pytest.raises(ValueError, match=r"meta device.*load the weights"):
        freezing.frozen(nn.Linear(2, 2, device="meta"))
    with pytest.raises(ValueError, match="no shape yet: call the model"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        freezing.frozen(nn.LazyLinear(2))


def test_no_global_of_torch_changes():
    def globals_now():
        cudnn = torch.backends.cudnn
        return (
            cudnn.benchmark,
            cudnn.allow_tf32,
            torch.get_num_threads(),
            torch.get_default_dtype(),
            torch.get_rng_state().tolist(),
        )

    before, model, x = globals_now(), tiny(), torch.ones(4, 1, 8, 8) / 2
    fl.PGD(fl.L2(0.1), steps=2)(model, x, torch.zeros(4, dtype=torch.long))
    assert globals_now() == before
