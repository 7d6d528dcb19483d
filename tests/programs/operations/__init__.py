"""The operations, by family. Importing this fills the table."""

from importlib import import_module
from pkgutil import iter_modules

__all__ = sorted(module.name for module in iter_modules(__path__))

for name in __all__:
    import_module(f"{__name__}.{name}")
