"""The older name of `torch.hub`'s reading of weights."""

from minicnn.compat import missing
from minicnn.hub import load_state_dict_from_url

__all__ = ["load_url"]

load_url = load_state_dict_from_url

__getattr__ = missing.getattr_of(__name__, lambda: __all__)
