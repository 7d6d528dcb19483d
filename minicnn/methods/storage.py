"""The memory behind a tensor: where it is, who shares it."""

from typing import Any, NamedTuple

from minicnn.autograd import Variable
from minicnn.autograd.storage import address, promised
from minicnn.autograd.variable import REPLACEMENT, ROW_MAJOR, owner


class UntypedStorage(NamedTuple):
    """What `x.untyped_storage()` tells of the whole memory that a tensor shows a part of.

    Attributes:
        size: bytes.
        start: its address.
    """

    size: int
    start: int

    def nbytes(self) -> int:
        """Bytes that the memory takes."""
        return self.size

    def data_ptr(self) -> int:
        """The memory's address."""
        return self.start


class Memory(Variable):
    """The methods of Tensor about its memory."""

    __slots__ = ()

    def _whole(self) -> Any:
        """The array that shows all the memory this tensor is part of."""
        layout = self._layout
        return owner(self._array if layout is None or layout is ROW_MAJOR else layout.storage.array)

    def storage_offset(self) -> int:
        """How many elements lie before the first one, in the order that PyTorch would lay them in."""
        layout = self._layout
        if layout is ROW_MAJOR or not self._array.size:
            return 0
        if layout is None:
            return (address(self._array) - address(self._whole())) // self._array.itemsize
        return promised(self)[0]

    def data_ptr(self) -> int:
        """The address of the first element, 0 without elements; equal for tensors that begin at the same place.

        It is for comparing: the memory may lie in an order of minicnn's own until `numpy()` asks for it.
        """
        return address(self._whole()) + self.storage_offset() * self._array.itemsize if self._array.size else 0

    def untyped_storage(self) -> UntypedStorage:
        """The whole memory of this tensor and of all that share it: `nbytes()` and `data_ptr()`."""
        whole = self._whole()
        return UntypedStorage(whole.nbytes, address(whole) if whole.size else 0)

    def is_set_to(self, tensor: Any) -> bool:
        """Whether `tensor` shows the same elements in the same order."""
        same = self._whole() is tensor._whole() and self._array.shape == tensor._array.shape
        return same and self.data_ptr() == tensor.data_ptr() and promised(self)[1] == promised(tensor)[1]

    def is_shared(self) -> bool:
        """False: no other process sees the memory."""
        return False

    @property
    def _version(self) -> int:
        """How often the memory was changed in place."""
        return self._memory[0] % REPLACEMENT

    @property
    def _base(self) -> Any:
        """The tensor that this one is a view of, or None."""
        return None if self._view is None else self._view.root

    def _is_view(self) -> bool:
        """Whether this tensor is a view of another one."""
        return self._view is not None

    def share_memory_(self) -> Any:
        """Refused: memory can't be shared between processes.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError("minicnn shares no memory between processes; hand over x.numpy() or a file instead")
