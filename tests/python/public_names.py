# The public names of the package, found by walking it: what docstrings and type stubs are held to.
import importlib
import pkgutil
import types

import tandem

# Without those that begin with _; the named tuples of return_types are described where ops give them, and
# array_api is the standard's: its functions say what they are in the words of these.
APART = ("tandem.return_types", "tandem.array_api")


def find_modules():
    names = [m.name for m in pkgutil.walk_packages(tandem.__path__, "tandem.") if "._" not in m.name and ".lib" not in m.name]  # nor libraries
    found = [importlib.import_module(name) for name in names if not name.startswith(APART)]
    return [tandem, tandem.signal.windows, *found]


MODULES = find_modules()
Function = type(tandem.add)


def is_ours(o):
    """Whether an object is a function or a class of Tandem, or a descriptor; no module, no constant."""
    if isinstance(o, (types.ModuleType, tandem.dtype, tandem.Generator, float, tuple, type(None))):
        return False
    if not (callable(o) or hasattr(o, "__get__")):
        return False
    return str(getattr(o, "__module__", None) or "tandem").startswith(("tandem", "nanobind"))


def module_name(module):
    return module.__name__.replace("._tandem", "").replace("._signal_windows", ".signal.windows")


def module_names(module):
    """{name: object} of what a module offers."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return {name: getattr(module, name) for name in names if is_ours(getattr(module, name))}


def members(cls):
    """{name: descriptor} of the public members of a class that are defined in Tandem."""
    found = {}
    for base in reversed(cls.__mro__):
        if base.__module__.startswith("tandem"):
            found |= {name: o for name, o in vars(base).items() if not name.startswith("_")}
    return {name: o for name, o in found.items() if is_ours(o) or callable(o)}


def walk():
    """(dotted name, object) of every public function, class, method and property."""
    for module in MODULES:
        for name, o in module_names(module).items():
            yield f"{module_name(module)}.{name}", o
            if isinstance(o, type):
                for member, descriptor in members(o).items():
                    yield f"{module_name(module)}.{name}.{member}", descriptor
