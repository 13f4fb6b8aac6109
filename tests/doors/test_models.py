"""What a model gives is taken as logits or refused in a sentence, wherever it enters."""

import math
from collections import OrderedDict, namedtuple

import pytest
import torch
from networks import Around
from small import patches, tiny
from torch import nn

import featlab as fl
from featlab.debate.stronger import APGD
from featlab.doors.models import Logits, check_trainable, enter, network, representing

GENTLE = fl.PGD(fl.L2(0.5), steps=2)


class Output(OrderedDict):
    """As Hugging Face's ModelOutput: a dict with attributes."""

    def __getattr__(self, name):
        return self[name]


Named = namedtuple("Named", "logits aux")


TAKEN = {
    "tuple": lambda y: (y, 1),
    "list": lambda y: [y],
    "dict": lambda y: {"logits": y, "features": y},
    "dict of one": lambda y: {"out": y},
    "named": lambda y: Named(y, None),
    "hugging face": lambda y: Output(loss=None, logits=y),
    "half": lambda y: y.half(),
    "float64": lambda y: y.double(),
    "squeezed": lambda y: y.squeeze(),
}


REFUSED = {
    "one logit": lambda y: y[:, :1],
    "flat": lambda y: y[:, 0],
    "argmax": lambda y: y.argmax(1),
    "a map": lambda y: y[:, :, None, None],
    "nothing": lambda y: None,
    "a text": lambda y: "cat",
    "two matrices": lambda y: (y, y),
    "another number of rows": lambda y: torch.cat([y, y]),
    "too few columns": lambda y: y[:, :2],
    "NaN": lambda y: y * math.nan,
    "infinite": lambda y: y * math.inf,
}


DOORS = {
    "accuracy": lambda m, d: fl.accuracy(m, d),
    "under attack": lambda m, d: fl.accuracy(m, d, GENTLE),
    "an attack": lambda m, d: GENTLE(m, d.images, d.labels),
    "APGD": lambda m, d: APGD(fl.L2(0.5), steps=2)(m, d.images, d.labels),
    "mislabel": lambda m, d: fl.mislabel(m, d, fl.next_labels, fl.PGD(fl.L2(0.5), steps=1, targeted=True)),
    "craft": lambda m, d: fl.craft(m, d, GENTLE),
    "Selective": lambda m, d: fl.Selective(fl.L2(0.5), steps=1, spared=(m,))(m, d.images, d.labels),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("form", TAKEN)
def test_wrapped_outputs_are_taken_at_every_door(door, form):
    model = Around(tiny(), post=TAKEN[form])
    for data in (patches(6), patches(6)[:1]):
        DOORS[door](model, data)
        DOORS[door](lambda x: model.eval()(x), data)
        assert fl.predict(model, data.images).equal(fl.predict(model.inner, data.images)) or form == "half"


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("form", REFUSED)
def test_what_is_no_logits_is_refused_in_a_sentence_at_every_door(door, form):
    with pytest.raises((ValueError, TypeError), match=r"logits|labels|not finite|NaN"):
        DOORS[door](Around(tiny(), post=REFUSED[form]), patches(6))


def test_wrapped_outputs_are_trained_and_other_numbers_of_columns_are_refused():
    fl.train(Around(tiny(), post=lambda y: (y, 1)), patches(9), epochs=1, batch=4, attack=GENTLE)
    with pytest.raises(ValueError, match=r"0\.\.1"):
        fl.train(Around(tiny(), post=lambda y: y[:, :2]), patches(8), epochs=1)
    with pytest.warns(UserWarning, match="6 logits and the data 4 classes"):
        fl.accuracy(tiny(classes=6), patches(8))


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_models_of_other_numbers_are_taken(dtype):
    data, model = patches(8), tiny()
    model = model.to(dtype)
    assert GENTLE(model, data.images, data.labels).isfinite().all()
    assert 0 <= fl.accuracy(model, data) <= 1
    fl.train(tiny().double(), data, epochs=1, batch=4)


class Strange(nn.Module):
    """A network that returns what a function makes of its logits."""

    def __init__(self, made):
        super().__init__()
        self.body, self.made = tiny(), made

    def forward(self, x):
        return self.made(self.body(x))


STRANGE = {
    "sparse": lambda z: z.to_sparse(),
    "meta": lambda z: z.to("meta"),
    "complex": lambda z: torch.complex(z, z),
    "nested": lambda z: torch.nested.nested_tensor(list(z)),
}


ASKED = {
    "predict": lambda m, d: fl.predict(m, d.images),
    "accuracy": lambda m, d: fl.accuracy(m, d, GENTLE),
    "PGD": lambda m, d: GENTLE(m, d.pixels, d.labels),
    "mislabel": lambda m, d: fl.mislabel(m, d, fl.next_labels, None),
    "train": lambda m, d: fl.train(m, d, attack=GENTLE, epochs=1, batch=4),
    "doubt": lambda m, d: fl.doubt(m, d, GENTLE),
}


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize("kind", STRANGE)
@pytest.mark.filterwarnings("ignore")
def test_logits_that_are_no_ordinary_tensor_are_refused_in_words(kind, ask):
    for model in (Strange(STRANGE[kind]), lambda x: STRANGE[kind](tiny()(x))):
        if ask != "train" or isinstance(model, nn.Module):
            with pytest.raises(TypeError, match="ordinary tensor of real numbers; this one returned"):
                ASKED[ask](model, patches(8))


def test_a_model_whose_logits_grow_fewer_is_refused():
    model = Logits(lambda x: torch.rand(len(x), 2 + len(x)))
    model(torch.rand(2, 1, 8, 8))
    with pytest.raises(ValueError, match="one number of logits; this one has 4 or 5"):
        model(torch.rand(3, 1, 8, 8))


def test_logits_are_those_of_the_model_in_eval_mode_and_all_else_is_the_models():
    model, x = tiny(), patches(6).pixels
    expected = model(x)
    entered = network(model.train())
    torch.testing.assert_close(entered(x), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(entered.represent(x), model.eval().represent(x), atol=1e-4, rtol=1e-4)
    assert entered.columns == 4


def test_model_images_and_labels_enter_as_logits_float_pixels_and_whole_numbers():
    data = patches(6)
    logits, x, y = enter(tiny(), data.images, data.labels.int())
    assert x.dtype == torch.float32 and torch.equal(x, data.pixels)
    assert y.dtype == torch.int64 and torch.equal(y, data.labels)
    assert logits.most == 3 and logits(x).shape == (6, 4)


def test_only_a_model_with_a_method_represent_has_a_representation():
    model = tiny()
    assert representing(model) is model
    with pytest.raises(TypeError, match=r"represent\(x\), and Linear has none"):
        representing(nn.Linear(2, 2))


def test_only_a_module_with_a_free_parameter_can_be_trained():
    model = tiny().requires_grad_(False)
    with pytest.raises(ValueError, match="no parameter of the model can be trained"):
        check_trainable(model)
    model.head.bias.requires_grad_(True)
    check_trainable(model)
    with pytest.raises(TypeError, match=r"torch\.nn\.Module can be trained, got function"):
        check_trainable(lambda x: x)
