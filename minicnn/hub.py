"""Files of weights as `torch.hub` names them: those that lie here are read, none is downloaded."""

import os
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlparse

from minicnn.compat import missing
from minicnn.serialization import load as read

__all__ = ["download_url_to_file", "get_dir", "load", "load_state_dict_from_url", "load_url", "set_dir"]

_chosen: dict[str, str] = {}


def get_dir() -> str:
    """The folder that was chosen by `set_dir`; else `$TORCH_HOME/hub`, or `~/.cache/torch/hub`."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.path.expanduser(os.environ.get("TORCH_HOME", os.path.join(cache, "torch")))
    return _chosen.get("dir", os.path.join(home, "hub"))


def set_dir(d: str | os.PathLike) -> None:
    """Choose the folder whose `checkpoints` hold files of weights."""
    _chosen["dir"] = os.path.expanduser(d)


def load_state_dict_from_url(
    url: str,
    model_dir: str | os.PathLike | None = None,
    map_location: Any = None,
    progress: bool = True,
    check_hash: bool = False,
    file_name: str | None = None,
    weights_only: bool = False,
) -> Any:
    """Read the weights of an address from the file of its name, which must lie in a folder already.

    Nothing in the file is executed, whatever `weights_only` says.

    Args:
        url: the address; its last part is the name of the file.
        model_dir: the folder; `checkpoints` below `get_dir()` unless given.
        map_location: as for `load`.
        progress, check_hash: about downloading.
        file_name: the name of the file, if it isn't the address's.
        weights_only: accepted.

    Raises:
        RuntimeError: if there is no such file.
    """
    folder = Path(get_dir(), "checkpoints") if model_dir is None else Path(model_dir)
    path = folder / (file_name or os.path.basename(urlparse(url).path))
    if not path.is_file():
        raise RuntimeError(f"minicnn downloads no weights: {url} is read from {path}, which does not exist")
    return read(path, map_location)


load_url = load_state_dict_from_url
"""The name in `torch.utils.model_zoo`."""


def download_url_to_file(url: str, dst: str, hash_prefix: str | None = None, progress: bool = True) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(f"minicnn downloads nothing but its data sets: fetch {url} and put it at {dst}")


def load(repo_or_dir: str, model: str, *args: Any, **kwargs: Any) -> NoReturn:
    """Refused.

    Raises:
        RuntimeError: always.
    """
    raise RuntimeError(
        f"minicnn runs no programs from elsewhere: {model!r} of {repo_or_dir!r} cannot be loaded; networks with "
        "torchvision's parameter names are in torchvision.models"
    )


__getattr__ = missing.getattr_of(__name__, lambda: __all__)
