"""The networks that a function reaches: through its closure, globals and attributes."""

import functools
import types

from torch import Tensor, nn

# whose functions know no network of the reader's
LIBRARIES = {"torch", "torchvision", "numpy", "featlab", "builtins"}
DEEP = 4  # functions and objects inside each other, in which a function's networks are looked for


def networks_in(value: object, depth: int = DEEP) -> list[nn.Module]:
    """The modules that a function, or an object that is called like one, reaches: through its closure,
    globals and attributes.
    """
    if isinstance(value, nn.Module):
        return [value]
    if getattr(type(value), "harmless", False):  # featlab's own: it leaves its network as it is
        return []
    if not depth or isinstance(value, type | types.ModuleType | Tensor | str | bytes) or value is None:
        return []
    return [network for one in _reached(value) for network in networks_in(one, depth - 1)]


def is_featlabs(kind: type) -> bool:
    """Whether a class is featlab's own."""
    return kind.__module__.partition(".")[0] == "featlab"


def _reached(value: object) -> list:
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or () if _full(cell)]
        foreign = (value.__module__ or "").partition(".")[0] not in LIBRARIES
        names = value.__code__.co_names if foreign else ()
        read = [value.__globals__[name] for name in names if name in value.__globals__]
        return [*cells, *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values(), *read]
    if isinstance(value, types.MethodType):
        return [value.__self__, value.__func__]
    if isinstance(value, functools.partial):
        return [value.func, *value.args, *value.keywords.values()]
    if isinstance(value, list | tuple):
        return [*value[:100]]
    if isinstance(value, dict):
        return [*value.values()][:100]
    call = type(value).__call__ if callable(value) else None
    return [
        *getattr(value, "__dict__", {}).values(),
        *([call] if isinstance(call, types.FunctionType) else []),
    ]


def _full(cell: types.CellType) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:  # a name that is bound later
        return False
