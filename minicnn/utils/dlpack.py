"""Memory shared with other libraries, under the names of `torch.utils.dlpack`."""

from minicnn.creation.exchange import from_dlpack, to_dlpack

__all__ = ["from_dlpack", "to_dlpack"]
