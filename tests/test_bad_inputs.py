"""What cannot be taken is refused in a sentence by featlab itself: never silently, never from inside torch or
numpy.

A row is what is wrong, the call, and words of the refusal that name what was given.
"""

import math
import re
import tempfile
import traceback
from pathlib import Path

import numpy as np
import pytest
import torch
from small import linear, patches, tiny
from torch import nn

import featlab as fl
from featlab import evaluation, features, gaussian, intervals, models, transfer, widgets
from featlab.attacks import descend, descend_outwards, pixel_gradient
from featlab.course.exercises import check
from featlab.debate import beyond, bugs, ensembles, leakage, stronger, wrong_labels
from featlab.debate.wrong_labels import accidental_only, errors_of
from featlab.engine import devices
from featlab.experiments import reports, store
from featlab.features import bounds, robust_usefulness, spectrum
from featlab.gaussian import adversarial_training, exact_robust_covariance
from featlab.types import Dataset
from featlab.widgets.debate import FeatureExplorer
from featlab.widgets.features import Containment, SpectrumExplorer
from featlab.widgets.gaussian import GradientAngles, TwoGaussians
from featlab.widgets.predict import Predict
from featlab.widgets.scale import CostExplorer
from featlab.widgets.transfer import TransferExplorer

HERE = Path(__file__).parent
FEATLAB = Path(fl.__file__).parent
REFUSALS = (ValueError, TypeError, RuntimeError, LookupError, ArithmeticError, OSError)
BARE = re.compile(
    r"not supported|has no attribute|unsupported operand|bad operand|can't multiply"
    r"|division by zero|unexpected keyword"
    r"|not iterable|not callable|not subscriptable|has no len|unhashable|could not convert"
    r"|cannot be interpreted"
    r"|invalid literal|must be real number, not|setting an array|zero.size array"
)

D = patches(12)
X, Y = D.pixels, D.labels
M, GREY = tiny(), linear()
A = fl.PGD(fl.L2(0.5), steps=2)
B = features.one_against_rest(D, 0)
TWO = {"a": GREY, "b": GREY}
RULE = torch.ones(1, 1, 8, 8)
TARGETED = fl.PGD(fl.L2(1), targeted=True)
OTHER = fl.Training(linear(), D)
NEXT = {"next": fl.next_labels}
LINE, DOT = features.Linear(RULE), features.pixel(0, 0, X)
PAIR = ensembles.Pair.of(D, (0, 1))
MADE = fl.craft(GREY, D, A)
MU, COV = [1.0, 0.0], [[2.0, 0.5], [0.5, 1.0]]
FOLDER = tempfile.TemporaryDirectory()
STORE = store.Store(FOLDER.name)


def brightness(x):
    return x.mean((1, 2, 3))


def descended(goal=brightness, x=X, **changes):
    return descend(goal, x, **{"ball": fl.L2(1), "steps": 2, "step": 0.1, **changes})


def diverged():
    model = linear()
    model.head.weight.data.fill_(math.nan)
    return model


def fixed():
    return tiny().requires_grad_(False)


def measured_spectrum():
    found = np.linspace(1, -1, 2 * 3 * 4).reshape(2, 3, 4)
    return spectrum.Spectrum(np.array([0.0, 1.0]), found, abs(found), found[0])


DATASETS = [
    ("images are a text", lambda: Dataset("images", Y), "str"),
    ("images are nothing", lambda: Dataset(None, Y), "NoneType"),
    ("images are a dict", lambda: Dataset({"images": X}, Y), "dict"),
    ("images are a set", lambda: Dataset({1, 2}, Y), "set"),
    ("images are a generator", lambda: Dataset((x for x in X), Y), "generator"),
    ("images are a model", lambda: Dataset(M, Y), "Classifier"),
    ("images are a dataset", lambda: Dataset(D, Y), "Dataset"),
    ("images are complex", lambda: Dataset(X + 0j, Y), "complex64"),
    ("images have no values", lambda: Dataset(X.to("meta"), Y), "meta"),
    ("images have no height", lambda: Dataset(X[:, :, :0], Y), "(12, 1, 0, 8)"),
    ("images are one number", lambda: Dataset(torch.tensor(0.5), Y), "()"),
    ("images have five axes", lambda: Dataset(X[None], Y), "(1, 12, 1, 8, 8)"),
    ("images are small whole numbers", lambda: Dataset((100 * X).to(torch.int8), Y), "int8"),
    ("images are 0..255 floats", lambda: Dataset(255 * X, Y), "images / 255"),
    ("images are NaN", lambda: Dataset(X * math.nan, Y), "768 of 768"),
    ("images are standardised", lambda: Dataset((X - 0.5) / 0.1, Y), "std"),
    ("labels are nothing", lambda: Dataset(X, None), "NoneType"),
    ("labels are one text", lambda: Dataset(X, "cat"), "str"),
    ("labels are a dict", lambda: Dataset(X, {0: 1}), "dict"),
    ("labels are nothings", lambda: Dataset(X, [None] * 12), "object"),
    ("labels are halves", lambda: Dataset(X, Y + 0.5), "whole numbers"),
    ("labels are NaN", lambda: Dataset(X, Y * math.nan), "whole numbers"),
    ("labels are too few", lambda: Dataset(X, Y[:5]), "(5,)"),
    ("labels are probabilities", lambda: Dataset(X, torch.full((12, 4), 0.25)), "(12, 4)"),
    ("labels begin at -2", lambda: Dataset(X, Y - 2), "-2..1"),
    ("labels exceed the classes", lambda: Dataset(X, Y, ("a", "b")), "0..3"),
    ("classes are a number", lambda: Dataset(X, Y, 4), "got 4"),
    ("classes are a text", lambda: Dataset(X, Y, "abcd"), "abcd"),
    ("classes are twice the same", lambda: Dataset(X, Y, ("a", "a", "b", "c")), "more than one a"),
    ("a report is a number", lambda: Dataset(X, Y, report=3), "int 3"),
    ("a report is a list", lambda: Dataset(X, Y, report=[Y]), "list"),
    ("a report is too short", lambda: Dataset(X, Y, report={"length": Y[:3]}), "(3,)"),
    ("a report is of texts", lambda: Dataset(X, Y, report={"length": ["far"] * 12}), "<U3"),
    ("an index is a text", lambda: D["0"], "str"),
    ("an index is a half", lambda: D[1.5], "float"),
    ("an index is beyond", lambda: D[99], "no image 99"),
    ("an index is nothing", lambda: D[None], "NoneType"),
    ("an index is a pair", lambda: D[0, 1], "(0, 1)"),
    ("a mask is too short", lambda: D[[True, False]], "(2,)"),
    ("a device is unknown", lambda: D.to("gpu"), "gpu"),
    ("a device is a half", lambda: D.to(1.5), "'1.5'"),
    ("a device is not there", lambda: D.to("cuda:99"), "cuda:99"),
    ("from_arrays: images are a text", lambda: Dataset.from_arrays("images", Y), "str"),
    ("from_arrays: labels are another number", lambda: Dataset.from_arrays(X[:, 0], Y[:5]), "(12, 8, 8)"),
    ("from_arrays: a label is unknown", lambda: Dataset.from_arrays(X[:2], ["cat", "dog"], ["cat"]), "dog"),
    ("from_arrays: labels are mixed", lambda: Dataset.from_arrays(X[:2], ["cat", 1]), "some of each"),
    ("from_arrays: labels are nothing", lambda: Dataset.from_arrays(X, None), "NoneType"),
    ("load: unknown", lambda: fl.load("imagenet"), "imagenet"),
    ("load: a number", lambda: fl.load(3), "3 names no dataset"),
    ("load: nothing", lambda: fl.load(None), "None"),
    ("load: empty", lambda: fl.load(""), "''"),
    ("load: a list", lambda: fl.load(["fashion-mnist"]), "fashion-mnist"),
    ("load: a file", lambda: fl.load(__file__), "is a file"),
    ("load: a folder without images", lambda: fl.load(HERE), "tests"),
    ("load: a size of what has one", lambda: fl.load("fashion-mnist", size=32), "size"),
    ("load: a size of 0", lambda: fl.load(HERE, size=0), "got 0"),
    ("load: a size in words", lambda: fl.load(HERE, size="big"), "big"),
    ("load: a device unknown", lambda: fl.load(device="gpu"), "gpu"),
    ("load: a device not there", lambda: fl.load(device="cuda:99"), "cuda:99"),
    ("load: a device is a half", lambda: fl.load(device=1.5), "'1.5'"),
]

MODELS = [
    ("cnn: width 0", lambda: fl.cnn(width=0), "got 0"),
    ("cnn: width in words", lambda: fl.cnn(width="16"), "'16'"),
    ("cnn: no channels", lambda: fl.cnn(channels=0), "got 0"),
    ("cnn: a channel and a half", lambda: fl.cnn(channels=1.5), "got 1.5"),
    ("cnn: no classes", lambda: fl.cnn(classes=0), "got 0"),
    ("cnn: classes are names", lambda: fl.cnn(classes=("a", "b")), "('a', 'b')"),
    ("cnn: size 0", lambda: fl.cnn(size=0), "got 0"),
    ("cnn: size of three sides", lambda: fl.cnn(size=(3, 28, 28)), "(3, 28, 28)"),
    ("cnn: no size", lambda: fl.cnn(size=None), "None"),
    ("cnn: features below 0", lambda: fl.cnn(features=-1), "got -1"),
    ("resnet18: no channels", lambda: fl.resnet18(channels=0), "got 0"),
    ("resnet18: classes in words", lambda: fl.resnet18(classes="ten"), "'ten'"),
    ("resnet50: no classes", lambda: fl.resnet50(classes=0), "got 0"),
    ("Classifier: no body", lambda: fl.Classifier(None, 64, channels=1, classes=4), "NoneType"),
    (
        "Classifier: a body is a function",
        lambda: fl.Classifier(brightness, 64, channels=1, classes=4),
        "function",
    ),
    ("Classifier: width 0", lambda: fl.Classifier(nn.Flatten(), 0, channels=1, classes=4), "got 0"),
    ("Classifier: width in words", lambda: fl.Classifier(nn.Flatten(), "64", channels=1, classes=4), "'64'"),
    (
        "Classifier: size in words",
        lambda: fl.Classifier(nn.Flatten(), 64, channels=1, classes=4, size="8"),
        "'8'",
    ),
    ("Classifier: images are nothing", lambda: M(None), "NoneType"),
    ("Classifier: images are an array", lambda: M(X.numpy()), "ndarray"),
    ("Classifier: one image", lambda: M(X[0]), "(1, 8, 8)"),
    ("Classifier: images in colour", lambda: M(X.expand(-1, 3, -1, -1)), "(12, 3, 8, 8)"),
    ("Classifier: represents a text", lambda: M.represent("image"), "str"),
    ("Classifier: standardised on a text", lambda: M.standardise("images"), "str"),
    ("Classifier: standardised on colour", lambda: M.standardise(X.expand(-1, 3, -1, -1)), "(12, 3, 8, 8)"),
    ("build: unknown", lambda: models.build("transformer", D), "transformer"),
    ("build: a list", lambda: models.build(["cnn"], D), "['cnn']"),
    ("build: no data", lambda: models.build("cnn", None), "NoneType"),
]

ATTACKS = [
    ("L2: below 0", lambda: fl.L2(-1), "got -1"),
    ("L2: NaN", lambda: fl.L2(math.nan), "got nan"),
    ("L2: a fraction in words", lambda: fl.L2("8/255"), "'8/255'"),
    ("L2: a complex number", lambda: fl.L2(1j), "1j"),
    ("L2: true", lambda: fl.L2(True), "True"),
    ("Linf: two numbers", lambda: fl.Linf(np.array([0.1, 0.2])), "[0.1, 0.2]"),
    ("Linf: bytes", lambda: fl.PGD(fl.Linf(8)), "8 / 255"),
    ("PGD: a radius for a ball", lambda: fl.PGD(0.5), "got 0.5"),
    ("PGD: a word for a ball", lambda: fl.PGD("l2"), "'l2'"),
    ("PGD: a class for a ball", lambda: fl.PGD(fl.L2), "L2"),
    ("PGD: steps below 0", lambda: fl.PGD(fl.L2(1), steps=-1), "got -1"),
    ("PGD: no steps", lambda: fl.PGD(fl.L2(1), steps=None), "None"),
    ("PGD: steps and a half", lambda: fl.PGD(fl.L2(1), steps=1.5), "got 1.5"),
    ("PGD: step 0", lambda: fl.PGD(fl.L2(1), step=0), "got 0"),
    ("PGD: step NaN", lambda: fl.PGD(fl.L2(1), step=math.nan), "got nan"),
    ("PGD: step in words", lambda: fl.PGD(fl.L2(1), step="0.1"), "'0.1'"),
    ("PGD: no limit and no step", lambda: fl.PGD(fl.L2(math.inf)), "without limit"),
    ("PGD: targeted in words", lambda: fl.PGD(fl.L2(1), targeted="no"), "'no'"),
    ("PGD: best in words", lambda: fl.PGD(fl.L2(1), best="last"), "'last'"),
    ("PGD: random_start is a number", lambda: fl.PGD(fl.L2(1), random_start=3), "got 3"),
    ("PGD: no model", lambda: A(None, X, Y), "None"),
    ("PGD: a model is a text", lambda: A("cnn", X, Y), "'cnn'"),
    ("PGD: no images", lambda: A(M, None, Y), "NoneType"),
    ("PGD: no labels", lambda: A(M, X, None), "NoneType"),
    ("PGD: one image", lambda: A(M, X[0], Y[:1]), "(1, 8, 8)"),
    ("PGD: bytes as floats", lambda: A(M, 255 * X, Y), "divide"),
    ("PGD: labels beyond", lambda: A(M, X, Y + 3), "3..6"),
    ("PGD: labels below", lambda: A(M, X, 2 * Y - 3), "-3..3"),
    ("PGD: too few labels", lambda: A(M, X, Y[:3]), "(3,)"),
    ("PGD: images of another kind", lambda: A(M, X.expand(-1, 3, -1, -1), Y), "3, 8, 8)"),
    ("PGD: a model of rows", lambda: A(nn.Linear(3, 4), X, Y), "(12, 1, 8, 8)"),
    ("PGD: a ball beyond the box", lambda: fl.PGD(fl.L2(100))(M, X, Y), "L2(100)"),
    ("PGD: a model of NaN", lambda: A(diverged(), X, Y), "NaN"),
    ("PGD: a model without a gradient", lambda: A(lambda x: M(x).detach(), X, Y), "gradient"),
    ("descend: no goal", lambda: descended(None), "None"),
    ("descend: a goal of one number", lambda: descended(lambda z: z.sum()), "()"),
    ("descend: a goal of nothing", lambda: descended(lambda z: None), "NoneType"),
    ("descend: a goal that is constant", lambda: descended(lambda z: torch.ones(12)), "gradient"),
    ("descend: a goal of NaN", lambda: descended(lambda z: brightness(z) / 0), "NaN"),
    ("descend: no images", lambda: descended(x=None), "NoneType"),
    ("descend: a radius for a ball", lambda: descended(ball=1.0), "got 1.0"),
    ("descend: steps in words", lambda: descended(steps="2"), "'2'"),
    ("descend: step below 0", lambda: descended(step=-0.1), "got -0.1"),
    ("descend: another start", lambda: descended(start=X[:1]), "(1, 1, 8, 8)"),
    ("descend: a start is a word", lambda: descended(start="noise"), "'noise'"),
    (
        "descend_outwards: numbers",
        lambda: list(descend_outwards(brightness, X, [0.5, 1.0])),
        "got 0.5",
    ),
    ("descend_outwards: no images", lambda: list(descend_outwards(brightness, None, [fl.L2(1)])), "NoneType"),
    ("pixel_gradient: no images", lambda: pixel_gradient(brightness, None), "NoneType"),
    ("pixel_gradient: bytes", lambda: pixel_gradient(brightness, D.images), "uint8"),
]

FEATURES = [
    ("usefulness: no feature", lambda: fl.usefulness(None, B), "None"),
    ("usefulness: no data", lambda: fl.usefulness(brightness, None), "NoneType"),
    ("usefulness: four classes", lambda: fl.usefulness(brightness, D), "[0, 1, 2, 3]"),
    ("usefulness: one class", lambda: fl.usefulness(brightness, B[B.labels > 0]), "[1]"),
    ("usefulness: balanced in words", lambda: fl.usefulness(brightness, B, balanced="no"), "'no'"),
    ("usefulness: a constant", lambda: fl.usefulness(lambda x: torch.ones(len(x)), B), "same"),
    ("robust_usefulness: a radius for a ball", lambda: robust_usefulness(brightness, B, 0.5), "got 0.5"),
    (
        "robust_usefulness: no limit",
        lambda: robust_usefulness(brightness, B, fl.L2(math.inf)),
        "without limit",
    ),
    ("robust_usefulness: bytes", lambda: robust_usefulness(brightness, B, fl.L2(100)), "L2(100)"),
    (
        "robust_usefulness: steps below 0",
        lambda: robust_usefulness(brightness, B, fl.L2(1), steps=-1),
        "got -1",
    ),
    (
        "robust_usefulness: rounded",
        lambda: robust_usefulness(lambda x: (8 * brightness(x)).round(), B, fl.L2(1)),
        "gradient",
    ),
    ("standardise: no data", lambda: fl.standardise(brightness, None), "NoneType"),
    ("standardise: a number", lambda: fl.standardise(3, B), "got 3"),
    ("one_against_rest: no such class", lambda: features.one_against_rest(D, 9), "class 9"),
    ("one_against_rest: a name", lambda: features.one_against_rest(D, "boot"), "'boot'"),
    ("one_against_rest: no data", lambda: features.one_against_rest(X, 0), "Tensor"),
    ("pair: twice the same", lambda: features.pair(D, 0, 0), "got (0, 0)"),
    ("pair: no such class", lambda: features.pair(D, 0, 9), "class 9"),
    ("pair: names", lambda: features.pair(D, "a", "b"), "'a'"),
    ("kind: a word", lambda: features.kind("high", 0), "'high'"),
    ("kind: NaN", lambda: features.kind(math.nan, 0), "got nan"),
    ("pixel: beyond", lambda: features.pixel(9, 0, X), "got 9"),
    ("pixel: a word", lambda: features.pixel("top", 0, X), "'top'"),
    ("pixel: like nothing", lambda: features.pixel(0, 0, None), "NoneType"),
    ("principal_components: none", lambda: features.principal_components(D, 0), "got 0"),
    ("principal_components: too many", lambda: features.principal_components(D, 999), "got 999"),
    ("principal_components: no data", lambda: features.principal_components(X, 2), "Tensor"),
    ("closed_form: not linear", lambda: features.closed_form(brightness, B, fl.L2(1)), "function"),
    ("closed_form: a radius for a ball", lambda: features.closed_form(LINE, B, 1.0), "got 1.0"),
    ("mixture: too many shares", lambda: features.mixture(LINE, torch.ones(2), B), "(2,)"),
    ("mixture: shares are a word", lambda: features.mixture(LINE, "half", B), "str"),
    ("Linear: no directions", lambda: features.Linear(None), "NoneType"),
    ("Linear: images of another size", lambda: LINE(torch.rand(2, 1, 9, 9)), "(2, 1, 9, 9)"),
    ("Units: a text", lambda: features.Units("cnn"), "str"),
    ("Units: no representation", lambda: features.Units(nn.Flatten()), "represent"),
    ("compose: no model", lambda: features.compose(None, D), "NoneType"),
    ("compose: no data", lambda: features.compose(M, None), "NoneType"),
    ("intervals: no model", lambda: bounds.intervals(None, X, fl.L2(1)), "NoneType"),
    ("intervals: a radius for a ball", lambda: bounds.intervals(M, X, 1.0), "got 1.0"),
    ("intervals: no images", lambda: bounds.intervals(M, None, fl.L2(1)), "NoneType"),
    ("lipschitz: size 0", lambda: bounds.lipschitz(M, 0), "got 0"),
    ("lipschitz: size in words", lambda: bounds.lipschitz(M, "8"), "'8'"),
    ("lower_bound: a radius for a ball", lambda: bounds.lower_bound(M, B, 1.0), "got 1.0"),
    ("spectrum: no model", lambda: spectrum.spectrum(None, D), "NoneType"),
    ("spectrum: radii fall", lambda: spectrum.spectrum(M, D, [0, 1, 0.5]), "[0, 1, 0.5]"),
    ("spectrum: radii in words", lambda: spectrum.spectrum(M, D, ["0", "1"]), "'0'"),
    ("spectrum: one radius", lambda: spectrum.spectrum(M, D, 0.5), "got 0.5"),
    ("spectrum: beyond the box", lambda: spectrum.spectrum(M, D, [0, 255]), "L2(255)"),
    ("spectrum: at a radius beyond", lambda: measured_spectrum().at(3), "not 3"),
    ("spectrum: at a word", lambda: measured_spectrum().at("1"), "'1'"),
    (
        "Estimate: many features as one number",
        lambda: float(fl.usefulness(lambda x: x.flatten(1)[:, :2], B)),
        "2 features",
    ),
]

TRAINING = [
    ("train: no model", lambda: fl.train(None, D), "NoneType"),
    ("train: a function", lambda: fl.train(brightness, D), "function"),
    ("train: a pair for data", lambda: fl.train(tiny(), (X, Y)), "tuple"),
    ("train: an attack is a word", lambda: fl.train(tiny(), D, attack="pgd"), "'pgd'"),
    ("train: an attack is a ball", lambda: fl.train(tiny(), D, attack=fl.L2(1)), "L2(1)"),
    ("train: a targeted attack", lambda: fl.train(tiny(), D, attack=TARGETED), "targeted"),
    ("train: epochs below 0", lambda: fl.train(tiny(), D, epochs=-1), "got -1"),
    ("train: epochs in words", lambda: fl.train(tiny(), D, epochs="two"), "'two'"),
    ("train: batch 0", lambda: fl.train(tiny(), D, batch=0), "got 0"),
    ("train: lr 0", lambda: fl.train(tiny(), D, lr=0), "lr=0,"),
    ("train: lr NaN", lambda: fl.train(tiny(), D, lr=math.nan), "lr=nan"),
    ("train: lr diverges", lambda: fl.train(tiny(), D, lr=1e30, epochs=9, batch=4), "1e+30"),
    ("train: a misspelt field", lambda: fl.train(tiny(), D, epoch=3), "epoch"),
    ("train: a recipe is a word", lambda: fl.train(tiny(), D, recipe="fast"), "str"),
    ("train: a recipe is a dict", lambda: fl.train(tiny(), D, recipe={"epochs": 1}), "dict"),
    ("train: a seed is a word", lambda: fl.train(tiny(), D, seed="lucky"), "'lucky'"),
    ("train: a seed is a half", lambda: fl.train(tiny(), D, seed=0.5), "got 0.5"),
    ("train: progress is true", lambda: fl.train(tiny(), D, progress=True), "True"),
    ("train: progress of nothing", lambda: fl.train(tiny(), D, progress=lambda run: None), "None"),
    ("train: nothing to train", lambda: fl.train(fixed(), D), "parameter"),
    ("train: labels beyond", lambda: fl.train(tiny(classes=2), D), "0..3"),
    ("train: labels -1 and 1", lambda: fl.train(tiny(), B), "-1..1"),
    ("train: images in colour", lambda: fl.train(tiny(), patches(8, channels=3)), "3, 8, 8)"),
    ("Training: a recipe is a number", lambda: fl.Training(tiny(), D, recipe=3), "int"),
    ("Training: resumed from nothing", lambda: fl.Training(tiny(), D).resume(None), "NoneType"),
    ("Training: resumed from an empty state", lambda: fl.Training(tiny(), D).resume({}), "step"),
    ("Training: resumed from another", lambda: fl.Training(tiny(), D).resume(OTHER.state), "body.0.weight"),
    ("Recipe: a schedule unknown", lambda: fl.Recipe(schedule="cosine"), "'cosine'"),
    ("Recipe: a schedule is a list", lambda: fl.Recipe(schedule=["step"]), "['step']"),
    ("Recipe: momentum below 0", lambda: fl.Recipe(momentum=-1), "got -1"),
    ("Recipe: average 1", lambda: fl.Recipe(average=1), "average=1"),
    ("Recipe: colour infinite", lambda: fl.Recipe(colour=math.inf), "got inf"),
    ("Recipe: augment and a half", lambda: fl.Recipe(augment=2.5), "got 2.5"),
    ("Recipe: a rate at a word", lambda: fl.Recipe().rate("half"), "'half'"),
]

MEASURING = [
    ("accuracy: no model", lambda: fl.accuracy(None, D), "None"),
    ("accuracy: no data", lambda: fl.accuracy(M, None), "NoneType"),
    ("accuracy: an attack is a word", lambda: fl.accuracy(M, D, "pgd"), "'pgd'"),
    ("accuracy: an attack is a class", lambda: fl.accuracy(M, D, fl.PGD), "PGD"),
    ("accuracy: a targeted attack", lambda: fl.accuracy(M, D, TARGETED), "targeted"),
    ("accuracy: labels -1 and 1", lambda: fl.accuracy(M, B), "-1..1"),
    ("accuracy: a model of NaN", lambda: fl.accuracy(diverged(), D), "12 of 12"),
    ("predict: no model", lambda: fl.predict(None, X), "None"),
    ("predict: a text", lambda: fl.predict(M, "images"), "str"),
    ("predict: one image", lambda: fl.predict(M, X[0]), "(1, 8, 8)"),
    ("predict: bytes as floats", lambda: fl.predict(M, 255 * X), "divide"),
    ("predict: a model is a number", lambda: fl.predict(3, X), "got 3"),
    ("predict: a model of another module", lambda: fl.predict(nn.Linear(3, 4), X), "(12, 1, 8, 8)"),
    ("Accuracy: of no images", lambda: evaluation.Accuracy(0, 0), "got 0"),
    ("Accuracy: more right than there are", lambda: evaluation.Accuracy(5, 3), "got 5"),
    ("Accuracy: in words", lambda: evaluation.Accuracy("3", 5), "'3'"),
    ("doubt: no model", lambda: fl.doubt(None, D, A), "None"),
    ("doubt: no data", lambda: fl.doubt(M, X, A), "Tensor"),
    ("doubt: no attack", lambda: fl.doubt(M, D, None), "None"),
    ("doubt: a ball", lambda: fl.doubt(M, D, fl.L2(1)), "L2(1)"),
    ("doubt: without steps", lambda: fl.doubt(M, D, fl.PGD(fl.L2(1), steps=0)), "steps=0"),
    ("doubt: targeted", lambda: fl.doubt(M, D, TARGETED), "targeted"),
    ("doubt: none of the images", lambda: fl.doubt(GREY, D, A, most=0), "got 0"),
    ("doubt: most in words", lambda: fl.doubt(GREY, D, A, most="all"), "'all'"),
    ("doubt: a surrogate is a word", lambda: fl.doubt(GREY, D, A, surrogate="cnn"), "'cnn'"),
    ("precision: unknown", lambda: devices.use_precision("float8"), "'float8'"),
    ("precision: a number", lambda: devices.use_precision(16), "precision 16"),
    ("precision: a list", lambda: devices.use_precision(["auto"]), "['auto']"),
    ("setup: a seed is a word", lambda: fl.setup(seed="lucky"), "'lucky'"),
    ("setup: a seed below 0", lambda: fl.setup(seed=-1), "got -1"),
    ("setup: a seed too large", lambda: fl.setup(seed=2**40), "got 1099511627776"),
    ("setup: a precision unknown", lambda: fl.setup(precision="double"), "'double'"),
    ("setup: motion in words", lambda: fl.setup(motion="off"), "'off'"),
]

CONSTRUCTIONS = [
    ("robustify: no model", lambda: fl.robustify(None, D), "NoneType"),
    ("robustify: no representation", lambda: fl.robustify(nn.Flatten(), D), "represent"),
    ("robustify: no data", lambda: fl.robustify(M, None), "NoneType"),
    ("robustify: steps below 0", lambda: fl.robustify(M, D, fl.Inversion(steps=-1)), "got -1"),
    ("robustify: steps in words", lambda: fl.robustify(M, D, fl.Inversion(steps="30")), "'30'"),
    ("robustify: step 0", lambda: fl.robustify(M, D, fl.Inversion(step=0)), "got 0"),
    ("robustify: step in bytes", lambda: fl.robustify(M, D, fl.Inversion(step=255)), "step=255"),
    ("robustify: a start unknown", lambda: fl.robustify(M, D, fl.Inversion(start="black")), "'black'"),
    ("robustify: a start is a list", lambda: fl.robustify(M, D, fl.Inversion(start=["noise"])), "['noise']"),
    ("robustify: decay in words", lambda: fl.robustify(M, D, fl.Inversion(decay="no")), "'no'"),
    ("robustify: a seed is a word", lambda: fl.robustify(M, D, seed="lucky"), "'lucky'"),
    (
        "robustify: progress is a number",
        lambda: fl.robustify(M, D, fl.Inversion(steps=1), progress=3),
        "got 3",
    ),
    ("robustify: a model of NaN", lambda: fl.robustify(tiny().double().apply(shattered), D), "NaN"),
    ("robustify: images in colour", lambda: fl.robustify(M, patches(8, channels=3)), "3, 8, 8)"),
    ("Inversion: no model", lambda: fl.Inversion().path(None, X, X), "NoneType"),
    ("Inversion: no images", lambda: fl.Inversion().path(M, None, X), "NoneType"),
    ("Inversion: no start", lambda: fl.Inversion().path(M, X, None), "NoneType"),
    ("Inversion: another start", lambda: fl.Inversion().path(M, X, X[:1]), "(1, 1, 8, 8)"),
    ("Inversion: a start of bytes", lambda: fl.Inversion().path(M, X, 255 * X), "divide"),
    ("Inversion: steps below 0", lambda: fl.Inversion(steps=-1), "got -1"),
    ("mislabel: no model", lambda: fl.mislabel(None, D, fl.next_labels, None), "None"),
    ("mislabel: no rule", lambda: fl.mislabel(M, D, None, None), "None"),
    ("mislabel: a rule is a word", lambda: fl.mislabel(M, D, "next", None), "'next'"),
    ("mislabel: an attack is a ball", lambda: fl.mislabel(M, D, fl.next_labels, fl.L2(1)), "L2(1)"),
    ("mislabel: an untargeted attack", lambda: fl.mislabel(M, D, fl.next_labels, A), "untargeted"),
    ("mislabel: no data", lambda: fl.mislabel(M, X, fl.next_labels, None), "Tensor"),
    ("mislabel: a seed is a half", lambda: fl.mislabel(M, D, fl.next_labels, None, seed=0.5), "got 0.5"),
    ("mislabel: progress is true", lambda: fl.mislabel(M, D, fl.next_labels, None, progress=True), "True"),
    ("random_labels: no labels", lambda: fl.random_labels(None, 4), "NoneType"),
    ("random_labels: no classes", lambda: fl.random_labels(Y, 0), "got 0"),
    ("random_labels: classes in words", lambda: fl.random_labels(Y, "4"), "'4'"),
    ("random_labels: a seed for a generator", lambda: fl.random_labels(Y, 4, 0), "int"),
    ("other_labels: one class", lambda: fl.other_labels(Y, 1), "got 1"),
    ("other_labels: labels are a text", lambda: fl.other_labels("cat", 4), "str"),
    ("next_labels: no classes", lambda: fl.next_labels(Y, 0), "got 0"),
    ("next_labels: fewer classes than labels", lambda: fl.next_labels(Y, 2), "0..3"),
    ("next_labels: half a class", lambda: fl.next_labels(Y, 2.5), "got 2.5"),
]


def shattered(module):
    for p in module.parameters(recurse=False):
        p.data.fill_(math.nan)


TRANSFER = [
    ("craft: no source", lambda: fl.craft(None, D, A), "None"),
    ("craft: no data", lambda: fl.craft(M, X, A), "Tensor"),
    ("craft: no attack", lambda: fl.craft(M, D, None), "None"),
    ("craft: targeted at nothing", lambda: fl.craft(M, D, TARGETED), "targets="),
    ("craft: untargeted at targets", lambda: fl.craft(M, D, A, Y), "targeted=True"),
    ("craft: targets beyond", lambda: fl.craft(M, D, TARGETED, Y + 9), "9..12"),
    ("craft: too few targets", lambda: fl.craft(M, D, TARGETED, Y[:3]), "(3,)"),
    ("rate: no model", lambda: MADE.rate(None), "None"),
    ("rate: another number of classes", lambda: MADE.rate(tiny(classes=5)), "the target 5"),
    ("pull: untargeted", lambda: MADE.pull(GREY), "untargeted"),
    ("noise: a seed is a word", lambda: MADE.noise("lucky"), "'lucky'"),
    ("matrix: a list of sources", lambda: transfer.matrix([M], {"a": M}, D, A), "list"),
    ("matrix: targets are a model", lambda: transfer.matrix({"a": M}, M, D, A), "Classifier"),
    ("Selective: spared is one model", lambda: fl.Selective(fl.L2(1), spared=M), "Classifier"),
    ("Selective: spared are words", lambda: fl.Selective(fl.L2(1), spared=("cnn",)), "'cnn'"),
    ("Selective: weight below 0", lambda: fl.Selective(fl.L2(1), weight=-1), "got -1"),
    ("Selective: weight in words", lambda: fl.Selective(fl.L2(1), weight="1"), "'1'"),
    ("pearson: too few", lambda: intervals.pearson([1, 2], [1, 2]), "(2,)"),
    ("pearson: words", lambda: intervals.pearson(["a"] * 5, ["b"] * 5), "'a'"),
    ("pearson: NaN", lambda: intervals.pearson([1, 2, 3, math.nan], [1, 2, 3, 4]), "got nan"),
    ("pearson: all equal", lambda: intervals.pearson([1, 1, 1, 1], [1, 2, 3, 4]), "equal"),
    ("spearman: other lengths", lambda: intervals.spearman([1, 2, 3, 4], [1, 2, 3]), "(3,)"),
    ("spearman: nothing", lambda: intervals.spearman(None, [1, 2, 3, 4]), "None"),
]

GAUSSIAN = [
    ("sample: below 0", lambda: gaussian.sample(-1, MU, COV), "got -1"),
    ("sample: a word", lambda: gaussian.sample("many", MU, COV), "'many'"),
    ("sample: rng is a word", lambda: gaussian.sample(9, MU, COV, "lucky"), "'lucky'"),
    ("sample: mu too long", lambda: gaussian.sample(9, [1, 2, 3], COV), "(3,)"),
    ("sample: mu is words", lambda: gaussian.sample(9, ["a", "b"], COV), "['a', 'b']"),
    ("sample: cov is a word", lambda: gaussian.sample(9, MU, "round"), "'round'"),
    ("sample: cov is nothing", lambda: gaussian.sample(9, MU, None), "None"),
    ("sample: cov is variances", lambda: gaussian.sample(9, MU, [1, 2]), "np.diag"),
    ("weights: cov is ragged", lambda: gaussian.weights(MU, [[1], [1, 2]]), "[[1], [1, 2]]"),
    ("weights: cov not symmetric", lambda: gaussian.weights(MU, [[1, 0.5], [0, 1]]), "symmetric"),
    ("weights: cov singular", lambda: gaussian.weights(MU, [[1, 1], [1, 1]]), "positive definite"),
    ("weights: cov complex", lambda: gaussian.weights(MU, np.eye(2) * 1j), "1.j"),
    ("nll: labels 0 and 1", lambda: gaussian.nll(np.ones((2, 2)), [0, 1], MU, COV), "2 * y - 1"),
    ("nll: points are a row", lambda: gaussian.nll([1, 2], [1, -1], MU, COV), "(2,)"),
    ("maximum_likelihood: too few", lambda: gaussian.maximum_likelihood([[1, 2]], [1]), "1 points"),
    ("maximum_likelihood: words", lambda: gaussian.maximum_likelihood("points", [1]), "'points'"),
    ("classify: NaN", lambda: gaussian.classify([[math.nan, 1]], MU, COV), "got nan"),
    ("accuracy: a rule of 0", lambda: gaussian.accuracy([0, 0], [[1, 2]], [1]), "weights 0"),
    ("accuracy: points are one number", lambda: gaussian.accuracy([1, 0], 3, [1]), "()"),
    ("accuracy: a radius below 0", lambda: gaussian.accuracy([1, 0], [[1, 2]], [1], -1), "got -1"),
    ("robust_accuracy: a radius in words", lambda: gaussian.robust_accuracy(MU, MU, COV, "far"), "'far'"),
    ("rho: too long", lambda: gaussian.rho([1, 2, 3], MU, COV), "(3,)"),
    ("gamma: a radius NaN", lambda: gaussian.gamma(MU, MU, COV, math.nan), "got nan"),
    ("planar: ratio 0", lambda: gaussian.planar(0), "got 0"),
    ("planar: ratio in words", lambda: gaussian.planar("long"), "'long'"),
    ("planar: ratio infinite", lambda: gaussian.planar(math.inf), "got inf"),
    ("planar: tilt NaN", lambda: gaussian.planar(2, math.nan), "2.0, nan"),
    ("planar: trace 0", lambda: gaussian.planar(2, 0, 0), "got 0"),
    ("optimal_perturbation: C too small", lambda: gaussian.optimal_perturbation([MU], COV, 0.1), "C = 0.1"),
    ("vulnerability: C in words", lambda: gaussian.vulnerability(COV, "dear"), "'dear'"),
    ("least_vulnerable: no dimensions", lambda: gaussian.least_vulnerable(4, 0), "got 0"),
    ("least_vulnerable: d in words", lambda: gaussian.least_vulnerable(4, "two"), "'two'"),
    ("multiplier: a radius below 0", lambda: gaussian.multiplier(COV, -1), "got -1"),
    ("budget: lambda 0", lambda: gaussian.budget(COV, 0), "got 0"),
    ("budget: lambda is nothing", lambda: gaussian.budget(COV, None), "None"),
    ("robust_covariance: two radii", lambda: gaussian.robust_covariance(COV, [1, 2]), "(2,)"),
    ("robust_direction: mu is 0", lambda: gaussian.robust_direction([0, 0], COV, 1), "weights 0"),
    ("robust_path: lambdas in words", lambda: gaussian.robust_path(COV, ["a"]), "'a'"),
    ("multiplier_bounds: NaN", lambda: gaussian.multiplier_bounds(COV, math.nan), "got nan"),
    ("adversarial_training: step 2", lambda: adversarial_training(COV, 1, step=2), "got 2"),
    ("adversarial_training: step in words", lambda: adversarial_training(COV, 1, step="half"), "'half'"),
    ("inner_maximum: an infinite radius", lambda: gaussian.inner_maximum([MU], COV, math.inf), "infinite"),
    ("exact: three samples", lambda: exact_robust_covariance(COV, 1, samples=3), "got 3"),
    ("exact: samples in words", lambda: exact_robust_covariance(COV, 1, samples="8"), "'8'"),
    ("exact: a seed is a word", lambda: exact_robust_covariance(COV, 1, samples=8, seed="a"), "'a'"),
    ("alignment: mu is 0", lambda: gaussian.alignment([0, 0], COV), "weights 0"),
    ("worst_alignment: three axes", lambda: gaussian.worst_alignment(np.ones((2, 2, 2))), "(2, 2, 2)"),
    ("worst_mean: empty", lambda: gaussian.worst_mean([]), "(0,)"),
    ("sample_separable: below 0", lambda: gaussian.sample_separable(-1), "got -1"),
    ("sample_separable: rng is a half", lambda: gaussian.sample_separable(3, 0.5), "got 0.5"),
    (
        "logistic_regression: ridge below 0",
        lambda: gaussian.logistic_regression([[1, 2]], [1], -1),
        "ridge -1",
    ),
    ("logistic_regression: no points", lambda: gaussian.logistic_regression(np.ones((0, 2)), []), "(0, 2)"),
]

DEBATE = [
    ("squares: none", lambda: bugs.squares(0), "got 0"),
    ("squares: in words", lambda: bugs.squares("400"), "'400'"),
    ("squares: more noise than labels", lambda: bugs.squares(8, label_noise=2), "got 2"),
    ("squares: noise NaN", lambda: bugs.squares(8, label_noise=math.nan), "got nan"),
    ("squares: a seed is a word", lambda: bugs.squares(8, seed="a"), "'a'"),
    ("fitted: none", lambda: bugs.fitted(0, label_noise=0.0, passes=8), "got 0"),
    ("fitted: passes in words", lambda: bugs.fitted(8, label_noise=0.0, passes="8"), "'8'"),
    ("corrupted: unknown", lambda: beyond.corrupted(D, "fog", 1), "'fog'"),
    ("corrupted: a list", lambda: beyond.corrupted(D, ["noise"], 1), "['noise']"),
    ("corrupted: below 0", lambda: beyond.corrupted(D, "noise", -1), "got -1"),
    ("corrupted: NaN", lambda: beyond.corrupted(D, "noise", math.nan), "got nan"),
    ("corrupted: no data", lambda: beyond.corrupted(X, "noise", 1), "Tensor"),
    ("matched: unknown", lambda: beyond.matched(M, D, "fog", 0.5), "'fog'"),
    ("matched: an accuracy of 60", lambda: beyond.matched(M, D, "noise", 60), "got 60"),
    ("high_pass: cut 0", lambda: beyond.high_pass(X, 0), "got 0"),
    ("high_pass: cut in words", lambda: beyond.high_pass(X, "low"), "'low'"),
    ("high_passed: no data", lambda: beyond.high_passed(X, 2), "Tensor"),
    ("Pair: no such class", lambda: ensembles.Pair.of(D, (0, 9)), "class 9"),
    ("Pair: twice the same", lambda: ensembles.Pair.of(D, (1, 1)), "got (1, 1)"),
    ("Pair: one class", lambda: ensembles.Pair.of(D, 3), "got 3"),
    ("Pair: no data", lambda: ensembles.Pair.of(X, (0, 1)), "Tensor"),
    ("ensembles.pair_usefulness: too short", lambda: ensembles.pair_usefulness(torch.ones(3), PAIR), "(3,)"),
    ("breaking_radius: 0", lambda: ensembles.breaking_radius(torch.zeros(64), PAIR), "0 in every pixel"),
    ("containment: alpha 2", lambda: ensembles.containment(PAIR.m, PAIR.m, PAIR, 2), "got 2"),
    ("containment: alpha in words", lambda: ensembles.containment(PAIR.m, PAIR.m, PAIR, "half"), "'half'"),
    ("student_of_det: 0", lambda: ensembles.student_of_det(0 * PAIR.m, PAIR, 1), "0 in every pixel"),
    ("student_of_det: eps NaN", lambda: ensembles.student_of_det(PAIR.m, PAIR, math.nan), "got nan"),
    ("linear: no data", lambda: leakage.linear(X), "Tensor"),
    ("robust_linear: eps below 0", lambda: leakage.robust_linear(D, -1), "got -1"),
    ("robust_linear: a recipe is a word", lambda: leakage.robust_linear(D, 0.1, recipe="soft"), "str"),
    ("certified_radius: not linear", lambda: leakage.certified_radius(M, X), "linear"),
    ("certified_radius: no images", lambda: leakage.certified_radius(GREY, None), "NoneType"),
    ("certified_share: eps below 0", lambda: leakage.certified_share(GREY, X, -1), "got -1"),
    ("on_features: not linear", lambda: leakage.on_features(M, D), "linear"),
    ("WorstOfLinear: a radius for a ball", lambda: leakage.WorstOfLinear(0.5), "got 0.5"),
    ("APGD: a radius for a ball", lambda: stronger.APGD(0.5), "got 0.5"),
    ("APGD: steps below 0", lambda: stronger.APGD(fl.L2(1), steps=-1), "got -1"),
    ("APGD: a loss unknown", lambda: stronger.APGD(fl.L2(1), loss="hinge"), "'hinge'"),
    ("APGD: a loss is a list", lambda: stronger.APGD(fl.L2(1), loss=["ratio"]), "['ratio']"),
    (
        "APGD: two classes for ratio",
        lambda: stronger.APGD(fl.L2(1), loss="ratio")(tiny(classes=2), X, Y % 2),
        "the model has 2",
    ),
    ("Worst: no attacks", lambda: stronger.Worst(()), "()"),
    ("Worst: one attack", lambda: stronger.Worst(A), "PGD"),
    ("standing: no attacks", lambda: stronger.standing(GREY, D, {}), "got 0"),
    ("standing: a list", lambda: stronger.standing(GREY, D, [A]), "list"),
    ("errors_of: no data", lambda: errors_of(M, X), "Tensor"),
    ("errors_of: no errors", lambda: errors_of(lambda x: nn.functional.one_hot(Y).float(), D), "no errors"),
    ("labelled_by: fewer names than classes", lambda: wrong_labels.labelled_by(M, D, ("a",)), "1 are named"),
    ("only: none", lambda: wrong_labels.only(D, ()), "()"),
    ("only: no such class", lambda: wrong_labels.only(D, (0, 9)), "class 9"),
    ("only: twice the same", lambda: wrong_labels.only(D, (0, 0)), "(0, 0)"),
    ("patterns: no classes", lambda: wrong_labels.patterns(0, (1, 8, 8)), "got 0"),
    ("patterns: a shape is a word", lambda: wrong_labels.patterns(4, "square"), "'square'"),
    ("add_pattern: too far", lambda: wrong_labels.add_pattern(X, RULE, 100), "by 100"),
    ("add_pattern: NaN", lambda: wrong_labels.add_pattern(X, RULE, math.nan), "got nan"),
    (
        "accidental_only: clean are places",
        lambda: accidental_only(D, Y, torch.tensor([0, 1]), eps=0.1),
        "(2,)",
    ),
    ("accidental_only: targets beyond", lambda: accidental_only(D, Y + 9, Y > 0, eps=0.1), "9..12"),
]

LABS = [
    ("Lab: unknown", lambda: fl.Lab("weekend"), "'weekend'"),
    ("Lab: nothing", lambda: fl.Lab(None), "None"),
    ("Lab: a number", lambda: fl.Lab(3), "int 3"),
    ("Lab: a seed is a word", lambda: fl.Lab("quick", seed="lucky"), "'lucky'"),
    ("Lab: a seed is a half", lambda: fl.Lab("quick", seed=0.5), "got 0.5"),
    ("Lab: a seed below 0", lambda: fl.Lab("quick", seed=-1), "got -1"),
    ("Lab: a store is a path", lambda: fl.Lab("quick", store="results"), "'results'"),
    ("Lab: a size in words", lambda: fl.Lab("quick", size="big"), "'big'"),
    ("Lab: a model unknown", lambda: fl.Lab("quick", store=STORE).model("vgg"), "'vgg'"),
    ("Lab: a model is a list", lambda: fl.Lab("quick", store=STORE).model(["robust"]), "['robust']"),
    ("Lab: a set unknown", lambda: fl.Lab("quick", store=STORE).dataset("D_X"), "'D_X'"),
    ("Lab: a student unknown", lambda: fl.Lab("quick", store=STORE).student("D_X"), "'D_X'"),
    ("Lab: a row unknown", lambda: fl.Lab("quick", store=STORE).row("D_X"), "'D_X'"),
    ("Lab: a piece unknown", lambda: fl.Lab("quick", store=STORE).make("soup of D_X"), "D_X"),
    ("Lab: a piece is a number", lambda: fl.Lab("quick", store=STORE).make(3), "int 3"),
    ("Store: a number", lambda: fl.Store(3), "int 3"),
    ("Store: progress is true", lambda: fl.Store(progress=True), "True"),
    ("Store: released in words", lambda: fl.Store(released="no"), "'no'"),
    ("Store: a value is no function", lambda: STORE.value("a", "b", 3), "got 3"),
    ("Store: a model is a function", lambda: STORE.model("a", "b", brightness, fl.Training), "function"),
    ("Store: a dataset is no function", lambda: STORE.dataset("a", "b", D), "Dataset"),
    ("measured: unknown", lambda: reports.measured("weekend"), "weekend"),
    ("measured: nothing", lambda: reports.measured(None), "None"),
    ("over_seeds: none", lambda: reports.over_seeds([]), "[]"),
    ("check: no reference", lambda: check(brightness, None, [(1,)]), "None"),
    ("check: no cases", lambda: check(brightness, brightness, []), "[]"),
    ("check: cases are a number", lambda: check(brightness, brightness, 3), "got 3"),
    ("check: a case is no tuple", lambda: check(brightness, brightness, [3]), "got [3]"),
    ("check: 0 seconds", lambda: check(brightness, brightness, [(1,)], seconds=0), "got 0"),
    ("check: seconds in words", lambda: check(brightness, brightness, [(1,)], seconds="ten"), "'ten'"),
    ("check: tolerance in words", lambda: check(brightness, brightness, [(X,)], tolerance="low"), "'low'"),
    ("check: tolerance below 0", lambda: check(brightness, brightness, [(X,)], tolerance=-1), "got -1"),
    ("check: a reference in words", lambda: check(brightness, lambda x: "cat", [(X,)]), "<U3"),
]

WIDGETS = [
    ("AttackExplorer: no model", lambda: widgets.AttackExplorer(None, D), "None"),
    ("AttackExplorer: no data", lambda: widgets.AttackExplorer(GREY, X), "Tensor"),
    ("AttackExplorer: largest 0", lambda: widgets.AttackExplorer(GREY, D, largest=0), "got 0"),
    ("AttackExplorer: largest below 0", lambda: widgets.AttackExplorer(GREY, D, largest=-1), "got -1"),
    ("AttackExplorer: largest in words", lambda: widgets.AttackExplorer(GREY, D, largest="2"), "'2'"),
    ("AttackExplorer: largest NaN", lambda: widgets.AttackExplorer(GREY, D, largest=math.nan), "got nan"),
    ("AttackExplorer: largest in bytes", lambda: widgets.AttackExplorer(GREY, D, largest=255), "largest=255"),
    ("AttackExplorer: steps below 0", lambda: widgets.AttackExplorer(GREY, D, steps=-1), "got -1"),
    ("AttackExplorer: gain in words", lambda: widgets.AttackExplorer(GREY, D, gain="5"), "'5'"),
    ("AttackExplorer: gain NaN", lambda: widgets.AttackExplorer(GREY, D, gain=math.nan), "got nan"),
    ("AttackExplorer: an image beyond", lambda: widgets.AttackExplorer(GREY, D, index=99), "no image 99"),
    ("AttackExplorer: an image in words", lambda: widgets.AttackExplorer(GREY, D, index="first"), "'first'"),
    ("InversionExplorer: a list", lambda: widgets.InversionExplorer([M], D), "list"),
    ("InversionExplorer: no models", lambda: widgets.InversionExplorer({}, D), "got 0"),
    (
        "InversionExplorer: no representation",
        lambda: widgets.InversionExplorer({"a": nn.Flatten()}, D),
        "represent",
    ),
    ("InversionExplorer: no data", lambda: widgets.InversionExplorer({"a": M}, None), "NoneType"),
    ("InversionExplorer: no steps", lambda: widgets.InversionExplorer({"a": M}, D, steps=0), "got 0"),
    ("PushExplorer: rules are a list", lambda: widgets.PushExplorer(GREY, D, [fl.next_labels]), "list"),
    ("PushExplorer: no rules", lambda: widgets.PushExplorer(GREY, D, {}), "got 0"),
    ("PushExplorer: shows none", lambda: widgets.PushExplorer(GREY, D, NEXT, show=0), "got 0"),
    (
        "PushExplorer: largest below the start",
        lambda: widgets.PushExplorer(GREY, D, NEXT, largest=-1),
        "got -1",
    ),
    ("watch: nothing", lambda: widgets.watch(None), "NoneType"),
    ("watch: every 0", lambda: widgets.watch(fl.Training(tiny(), D), every=0), "got 0"),
    ("progress: of none", lambda: list(widgets.progress([1], "work", "one")), "'one'"),
    ("FeatureExplorer: no such class", lambda: FeatureExplorer(D, D, (0, 9), push=1.0), "class 9"),
    ("FeatureExplorer: push in words", lambda: FeatureExplorer(D, D, (0, 1), push="far"), "'far'"),
    ("FeatureExplorer: alpha 2", lambda: FeatureExplorer(D, D, (0, 1), push=1.0, alpha=2), "got 2"),
    ("FeatureExplorer: eps 9", lambda: FeatureExplorer(D, D, (0, 1), push=1.0, eps=9), "got 9"),
    ("SpectrumExplorer: no models", lambda: SpectrumExplorer({}, {}, D), "[]"),
    ("SpectrumExplorer: a list", lambda: SpectrumExplorer([M], [measured_spectrum()], D), "list"),
    (
        "SpectrumExplorer: another name",
        lambda: SpectrumExplorer({"a": M}, {"b": measured_spectrum()}, D),
        "'b'",
    ),
    ("Containment: not linear", lambda: Containment(brightness, brightness, B), "function"),
    ("Containment: alpha 2", lambda: Containment(LINE, DOT, B, alpha=2), "got 2"),
    ("Containment: eps below 0", lambda: Containment(LINE, DOT, B, eps=-1), "got -1"),
    ("TransferExplorer: one model", lambda: TransferExplorer({"a": GREY}, D), "got 1"),
    ("TransferExplorer: a list", lambda: TransferExplorer([GREY, GREY], D), "list"),
    ("TransferExplorer: no radii", lambda: TransferExplorer(TWO, D, radii=()), "()"),
    ("TransferExplorer: a radius below 0", lambda: TransferExplorer(TWO, D, radii=(0, -1)), "got -1"),
    ("TransferExplorer: one radius", lambda: TransferExplorer(TWO, D, radii=1.0), "got 1.0"),
    ("TwoGaussians: a radius below 0", lambda: TwoGaussians(radius=-1), "got -1"),
    ("TwoGaussians: ratio 0", lambda: TwoGaussians(ratio=0), "got 0"),
    ("TwoGaussians: tilt in words", lambda: TwoGaussians(tilt="steep"), "'steep'"),
    ("GradientAngles: a heading of 200", lambda: GradientAngles(heading=200), "got 200"),
    ("GradientAngles: a radius NaN", lambda: GradientAngles(radius=math.nan), "got nan"),
    ("CostExplorer: unknown", lambda: CostExplorer("weekend"), "'weekend'"),
    ("CostExplorer: speed 0", lambda: CostExplorer(speed=0), "got 0"),
    ("CostExplorer: speed in words", lambda: CostExplorer(speed="fast"), "'fast'"),
    ("Predict: no question", lambda: Predict("", ["a", "b"]), "''"),
    ("Predict: a question is a number", lambda: Predict(3, ["a", "b"]), "int 3"),
    ("Predict: no choices", lambda: Predict("How far?", []), "[]"),
    ("Predict: choices are a text", lambda: Predict("How far?", "near"), "'near'"),
    ("Predict: twice the same", lambda: Predict("How far?", ["near", "near"]), "near"),
    ("Predict: from 5 to 1", lambda: Predict("How far?", (5, 1)), "(5, 1)"),
    ("Predict: one number", lambda: Predict("How far?", (5,)), "(5,)"),
    ("Predict: another answer", lambda: Predict("How far?", ["near", "far"], answer="9"), "'9'"),
    ("Predict: a number's answer in words", lambda: Predict("How far?", (0, 9), answer="far"), "'far'"),
    ("Predict: a number's answer is NaN", lambda: Predict("How far?", (0, 9), answer=math.nan), "got nan"),
    ("Predict: reveals a word of a number", lambda: Predict("How far?", (0, 9)).reveal("far"), "'far'"),
]

TABLES = [DATASETS, MODELS, ATTACKS, FEATURES, TRAINING, MEASURING, CONSTRUCTIONS]
TABLES += [TRANSFER, GAUSSIAN, DEBATE, LABS, WIDGETS]
ROWS = [row for table in TABLES for row in table]


@pytest.mark.parametrize("call, names", [pytest.param(*row, id=what) for what, *row in ROWS])
def test_what_is_wrong_is_refused_in_a_sentence(call, names):
    with pytest.raises(REFUSALS) as refusal:
        call()
    said, where = str(refusal.value), Path(traceback.extract_tb(refusal.tb)[-1].filename)
    assert FEATLAB in where.parents, f"raised in {where}: {said}"
    assert len(said.split()) >= 6 and not BARE.search(said), said
    assert names in said


def test_no_row_is_there_twice():
    assert len(ROWS) == len({what for what, _, _ in ROWS}) >= 500


WARNED = [
    ("PGD: a model that rounds", lambda: A(lambda x: GREY(x.round()), X, Y), "12 of 12"),
    (
        "robustify: a model that rounds",
        lambda: fl.robustify(Rounding(), D, fl.Inversion(steps=2)),
        "11 of 12",
    ),
    ("Dataset: bytes of 0 and 1", lambda: Dataset((X > 0.5).byte(), Y), "* 255"),
    ("accuracy: more logits than names", lambda: fl.accuracy(tiny(classes=6), D), "6 logits"),
]


class Rounding(nn.Module):
    def represent(self, x):
        return GREY.represent(x.round())


@pytest.mark.parametrize("call, says", [pytest.param(*row, id=what) for what, *row in WARNED])
def test_what_gives_a_number_that_means_little_is_said_beside_it(call, says):
    with pytest.warns(UserWarning, match=re.escape(says)):
        call()
