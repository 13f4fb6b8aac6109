"""Networks as readers have them, of all that may stand in the way of a copy; and what readers do to them."""

import threading

import torch
import torch.nn.functional as F
from small import shake
from torch import nn
from torch.nn.utils import parametrizations, parametrize, prune

from featlab.engine import devices


def shaken(model: nn.Module) -> nn.Module:
    shake(model)
    return model.eval()


class Shared(nn.Module):
    """One convolution before two norms, one norm after two convolutions, one convolution with two readers:
    none may be folded.
    """

    def __init__(self):
        super().__init__()
        self.twice, self.read_twice, self.late = (nn.Conv2d(4, 4, 3, padding=1) for _ in range(3))
        self.one, self.two, self.three, self.reused = (nn.BatchNorm2d(4) for _ in range(4))

    def forward(self, x):
        a = self.two(self.twice(self.one(self.twice(x))).relu())
        b = self.read_twice(a)
        return self.reused(self.late(self.reused(self.three(b) + b)))


class Branching(nn.Module):
    """A forward that cannot be traced as a whole; its parts can."""

    def __init__(self):
        super().__init__()
        self.part = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))

    def forward(self, x):
        return self.part(x) if x.mean() > -1e9 else x


class Net(nn.Module):
    """Two convolutions and batch-norms in a forward of the reader's own, with what else the case is about."""

    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1)
        self.n, self.m, self.out = nn.BatchNorm2d(4), nn.BatchNorm2d(4), nn.Linear(256, 3)

    def forward(self, x):
        x = F.relu(self.n(self.a(x)))
        return self.out(self.changed(F.relu(self.m(self.b(x)))).flatten(1))

    def changed(self, x):
        return x


def variant(change):
    return type("Variant", (Net,), {"changed": change})


def keeps(self, x):
    self.seen = x
    return x


def merge(self, mode=True):
    nn.Module.train(self, mode)
    with torch.no_grad():
        self.out.weight.mul_(2.0 if not mode else 0.5)
    return self


def hooked(model):
    model.n.register_forward_hook(lambda part, given, out: out * 0.5)
    return model


def attributed(model, **attributes):
    for name, value in attributes.items():
        setattr(model, name, value)
    return model


def tied(model):
    model.a = nn.Conv2d(1, 4, 3, padding=1)
    model.n.weight = model.m.weight
    return model


def _with_scale(model):
    model.a.scale = nn.Parameter(torch.ones(1))
    return model


def _pruned():
    model = Net()
    prune.l1_unstructured(model.a, "weight", amount=0.5)
    return model


def _made_permanent(apply, remove):
    """Its weight is registered anew, after the bias."""
    model = apply()
    for conv in (model.a, model.b):
        if "weight" not in dict(conv.named_parameters()):
            remove(conv)
    return model


def _applied(norm):
    model = Net()
    norm(model.a)
    norm(model.b)
    return model


MODELS = {
    "plain": Net,
    "hooked": lambda: hooked(Net()),
    "pruned": _pruned,
    "old weight norm": lambda: _applied(nn.utils.weight_norm),
    "weight norm": lambda: _applied(parametrizations.weight_norm),
    "spectral norm": lambda: _applied(parametrizations.spectral_norm),
    "keeps a pass": variant(keeps),
    "view": variant(lambda self, x: x.view(len(x), -1)),
    "branches": variant(lambda self, x: x if x.mean() > 0.5 else 2 * x),
    "a lock": lambda: attributed(Net(), lock=threading.Lock()),
    "a holder": lambda: attributed(
        variant(lambda self, x: x * self.held["mask"])(), held={"mask": torch.rand(8, 8)}
    ),
    "eval merges": type("Merging", (Net,), {"train": merge}),
    "always drops": variant(lambda self, x: F.dropout(x, 0.5)),
    "a hidden module": lambda: attributed(
        variant(lambda self, x: self.parts[0](x))(), parts=[nn.BatchNorm2d(4)]
    ),
    "pruned for good": lambda: _made_permanent(_pruned, lambda conv: prune.remove(conv, "weight")),
    "old weight norm, removed": lambda: _made_permanent(
        lambda: _applied(nn.utils.weight_norm), nn.utils.remove_weight_norm
    ),
    "weight norm, removed": lambda: _made_permanent(
        lambda: _applied(parametrizations.weight_norm),
        lambda conv: parametrize.remove_parametrizations(conv, "weight"),
    ),
    "a further parameter": lambda: _with_scale(Net()),
    "tied": lambda: tied(Net()),
    "double": lambda: Net().double(),
}


def ready(name):
    torch.manual_seed(1)
    model = MODELS[name]()
    with torch.no_grad():
        model.train()(torch.rand(16, 1, 8, 8, dtype=devices.dtype_of(model)))
    return model


CHANGES = {
    "weights through data": lambda m: m.a.weight.data.mul_(2),
    "a hook": hooked,
    "pruned": lambda m: prune.l1_unstructured(m.out, "weight", amount=0.9),
    "weight norm": lambda m: parametrizations.weight_norm(m.b),
    "another layer": lambda m: attributed(m, out=nn.Linear(256, 3)),
    "a buffer replaced": lambda m: attributed(m.n, running_mean=torch.ones(4)),
    "eps": lambda m: attributed(m.n, eps=1.0),
    "a method": lambda m: attributed(m, changed=lambda x: x * 0),
    "another class": lambda m: setattr(m.n, "__class__", nn.InstanceNorm2d),
    "a part fewer": lambda m: setattr(m, "n", nn.Identity()),
    "numbers of another type": lambda m: m.double(),
    "weights of another place": lambda m: setattr(m.a.weight, "data", m.a.weight.data.flip(0)),
    "frozen statistics": lambda m: attributed(
        m.n, track_running_stats=False, running_mean=None, running_var=None
    ),
}


def state(model):
    """All that there is of a model: attributes and layout too."""
    tensors = {
        n: (t.clone(), t.stride(), t.requires_grad, t.grad)
        for n, t in (*model.named_parameters(), *model.named_buffers())
    }
    return tensors, [p.training for p in model.modules()], [{**vars(p)} for p in model.modules()]


def untouched(before, after):
    """Whether two states of one model are the same, bit by bit and object by object."""
    if before[0].keys() != after[0].keys() or before[1] != after[1]:
        return False
    tensors = zip(before[0].values(), after[0].values(), strict=True)
    same = all(torch.equal(a[0], b[0]) and a[1:3] == b[1:3] and a[3] is b[3] for a, b in tensors)
    attributes = zip(before[2], after[2], strict=True)
    return same and all(a.keys() == b.keys() and all(a[k] is b[k] for k in a) for a, b in attributes)


class Around(nn.Module):
    """A model with something before and after it."""

    def __init__(self, model, pre=lambda x: x, post=lambda y: y):
        super().__init__()
        self.inner, self.pre, self.post = model, pre, post

    def forward(self, x):
        return self.post(self.inner(self.pre(x)))


MASKS = {
    "rounds": {"pre": lambda x: (x * 255).round() / 255},
    "quantises": {"pre": lambda x: torch.floor(x * 15) / 15},
    "compares": {"pre": lambda x: (x > 0.5).float() + 0 * x},
    "rounds its logits": {"post": lambda y: y.round()},
    "saturates": {"post": lambda y: y * 1e6},
    "is constant": {"post": lambda y: 0 * y},
}
