"""What a module is made of, found by walking through all that it holds; and running it so that it stays
exactly as it was.

A copy stands for a model as long as the model's signature is the one that it was copied with; only the
tensors' values may change.
"""

import collections
import enum
import functools
import operator
import pathlib
import re
import types
import weakref
from collections.abc import Callable, Iterable

import numpy as np
import torch
from torch import Tensor, nn

from featlab.engine.reach import networks_in

_PLAIN = {
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    type(None),
    torch.dtype,
    torch.device,
    torch.layout,
    torch.memory_format,
    range,
    slice,
}
VALUES = (
    *_PLAIN - {type(None)},
    enum.Enum,
    pathlib.PurePath,
    re.Pattern,
    np.generic,
)  # with their subclasses
# a deep copy holds the very same object
SHARED = (type, types.FunctionType, types.BuiltinFunctionType, types.ModuleType, weakref.ref)
TENSORS = {Tensor, nn.Parameter}
HELD = ("_parameters", "_buffers", "_modules")
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
STATE_HOOKS = (
    "_state_dict_hooks",
    "_state_dict_pre_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)
OF_HOOKS = (
    "_is_full_backward_hook",
    "_forward_hooks_with_kwargs",
    "_forward_hooks_always_called",
    "_forward_pre_hooks_with_kwargs",
)
SKIPPED = {"training", "_compiled_call_impl", "_non_persistent_buffers_set", *HOOKS, *STATE_HOOKS, *OF_HOOKS}
_form = operator.attrgetter("shape", "dtype", "device", "is_leaf", "__dict__")  # of a tensor


class Anatomy:
    """What a model is made of.

    signature  a list that is equal as long as only the values of tensors have changed
    tensors    all that the model holds, in the order of the walk
    parts      all modules that it reaches beside itself
    obstacle   why a copy could not stand for it, in words; empty if it can
    ours       whether hooks are there that somebody else than torch put on, who wants to see what they do
    plain      whether it holds nothing but modules, tensors and plain values, and `holds` can tell at a
               glance that it is as it was
    """

    def __init__(self, model: nn.Module):
        self.signature: list[object] = []
        self.tensors: list[Tensor] = []
        self.parts: list[nn.Module] = []
        self.obstacle, self.ours, self.plain = "", False, True
        self.watched: list[tuple[dict, tuple, tuple]] = []
        self.empty: list[dict] = []
        self._seen: dict[int, int] = {}
        self._registered = {id(part) for part in model.modules()}
        if torch.nn.modules.module._has_any_global_hook():
            self._hinder("hooks are set for all modules")
        self._walk(model, "the model")
        self.kind, self.kinds, self.forms = type(model), [*map(type, self.parts)], [*map(_form, self.tensors)]

    def holds(self, model: nn.Module) -> bool:
        """Whether no part, tensor or plain value of the model was exchanged since,
        so that a walk would find the same.
        """
        if not self.plain or any(self.empty) or torch.nn.modules.module._has_any_global_hook():
            return False
        if (
            type(model) is not self.kind
            or [*map(type, self.parts)] != self.kinds
            or [*map(_form, self.tensors)] != self.forms
        ):
            return False
        return all(
            keys == (*now,) and all(map(operator.is_, now.values(), values))
            for now, keys, values in self.watched
        )

    def _watch(self, entries: dict) -> None:
        """Remember what a module's dict holds.

        Nothing that is held here may lead to the model itself, which would live for ever.
        """
        if entries:
            self.watched.append((entries, (*entries,), (*entries.values(),)))
        else:
            self.empty.append(entries)

    def _hinder(self, why: str) -> None:
        self.obstacle, self.plain = self.obstacle or why, False

    def _walk(self, value: object, path: str) -> None:
        kind = type(value)
        if kind in _PLAIN:
            self.signature.append((kind, value))
            return
        seen = id(value) in self._seen
        number = self._seen.setdefault(id(value), len(self._seen))
        if seen:
            self.signature.append(number)
            self.plain = self.plain and number > 0  # 0 is the model itself
        elif isinstance(value, Tensor):
            self._tensor(value, path)
        elif isinstance(value, nn.Module):
            self._module(value, path)
        else:
            self.plain = self.plain and type(value) is tuple and all(type(one) in _PLAIN for one in value)
            if not self._container(value, path):
                self._object(value, path)

    def _tensor(self, tensor: Tensor, path: str) -> None:
        if torch.nn.parameter.is_lazy(tensor):
            raise ValueError(f"{path} has no shape yet: call the model on one image first, then hand it in")
        self.tensors.append(tensor)
        self.signature.append((type(tensor), tensor.shape, tensor.dtype, tensor.device))
        if tensor.is_meta:
            raise ValueError(
                f"{path} is on the meta device, where numbers have no values: load the weights "
                "first, on the cpu or a GPU"
            )
        if type(tensor) not in TENSORS or tensor.is_quantized or tensor.layout is not torch.strided:
            self._hinder(f"{path} is a {type(tensor).__name__} of a special kind")
        elif not tensor.is_leaf or tensor.__dict__:
            self._hinder(f"{path} is computed from others, or carries attributes")
        if tensor._backward_hooks or tensor._post_accumulate_grad_hooks:
            self.plain = False

    def _module(self, part: nn.Module, path: str) -> None:
        if len(self._seen) > 1:
            self.parts.append(part)
        self.signature.append((type(part), *vars(part)))
        if isinstance(part, torch.jit.ScriptModule):
            self.parts.extend(part.modules())
            self._hinder(f"{path} is a {type(part).__name__}")
            return
        if id(part) not in self._registered:
            self._hinder(f"{path} is a module in no ModuleList or the like, which eval() does not reach")
        hooks = [hook for name in HOOKS for hook in vars(part).get(name, {}).values()]
        if hooks:
            self._hinder(f"{path} has hooks")
            self.ours = self.ours or not all(_torchs(hook) for hook in hooks)
        self.plain = self.plain and vars(part).get("_compiled_call_impl") is None
        for entries in (vars(part), *(vars(part).get(name, {}) for name in (*HELD, *HOOKS))):
            self._watch(entries)
        for name in HELD:
            self.signature.append((*vars(part)[name],))
            for key, value in vars(part)[name].items():
                self._walk(value, f"{path}.{key}")
        for name, value in vars(part).items():
            if name not in HELD and name not in SKIPPED:
                self._walk(value, f"{path}.{name}")

    def _container(self, value: object, path: str) -> bool:
        """Walk through a dict, list, tuple, deque or set; False if it is none."""
        parts: Iterable[object]
        if isinstance(value, dict) and all(type(key) in _PLAIN for key in value):
            self.signature.append((type(value), *value))
            parts = value.values()
        elif isinstance(value, list | tuple | collections.deque):
            self.signature.append((type(value), len(value)))
            parts = value
        elif isinstance(value, set | frozenset) and all(type(one) in _PLAIN for one in value):
            self.signature.append(frozenset(value))
            parts = ()
        else:
            return False
        for i, part in enumerate(parts):
            self._walk(part, f"{path}[{i}]")
        return True

    def _object(self, value: object, path: str) -> None:
        if isinstance(value, VALUES):
            self.signature.append((type(value), value))
        elif isinstance(value, SHARED):
            self.signature.append(id(value))
            if networks_in(value):
                self._hinder(f"{path} is a function that uses a network")
        elif isinstance(value, types.MethodType):
            self.signature.append(id(value.__func__))
            self._walk(value.__self__, path)
        elif isinstance(value, functools.partial):
            for one in (value.func, value.args, value.keywords):
                self._walk(one, path)
        elif isinstance(value, np.ndarray) and value.dtype != object:
            self.signature.append((value.dtype, value.shape, value.tobytes()))
        elif _simple(value):
            self.signature.append((type(value), *vars(value)))
            for name, one in vars(value).items():
                self._walk(one, f"{path}.{name}")
        else:
            self._hinder(f"{path} is a {type(value).__name__}, which cannot be copied")


def _simple(value: object) -> bool:
    """Whether an object is what its attributes are, and is copied by copying them."""
    kind = type(value)
    if kind is types.SimpleNamespace:
        return True
    own = any(hasattr(kind, name) for name in ("__deepcopy__", "__copy__", "__slots__", "__next__"))
    return (
        hasattr(value, "__dict__")
        and not own
        and kind.__reduce_ex__ is object.__reduce_ex__
        and kind.__reduce__ is object.__reduce__
    )


def _torchs(hook: Callable) -> bool:
    """Whether a hook is one of torch's own, such as those of pruning and weight_norm,
    which set nothing that a reader looks at.
    """
    kind = hook if isinstance(hook, types.FunctionType) else type(hook)
    return kind.__module__.partition(".")[0] == "torch"
