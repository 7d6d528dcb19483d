"""Who wants to see every operation that a program computes: summaries, and exports to other formats."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from minicnn.autograd.operator import Operator


@contextmanager
def every_operation(observe: Callable[[type, tuple, Any], None]) -> Iterator[None]:
    """Call `observe(operator, arguments, outputs)` after every operation on Tensors in this `with` block.

    While it lasts, `Operator.apply` is replaced, for all threads: layers are not the only ones who compute, `forward`
    may call a function such as `max_pool2d` too, which no module tells.
    """
    original = Operator.__dict__["apply"]

    def apply(cls: type, *arguments: Any) -> Any:
        outputs = original.__func__(cls, *arguments)
        observe(cls, arguments, outputs)
        return outputs

    Operator.apply = classmethod(apply)  # type: ignore[assignment,method-assign]
    try:
        yield
    finally:
        Operator.apply = original  # type: ignore[method-assign]
