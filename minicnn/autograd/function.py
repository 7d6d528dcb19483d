"""`Function`: a differentiable operation of one's own, on Tensors."""

from typing import Any

import numpy as np

from minicnn.autograd.graph import Context, Operator, Variable
from minicnn.autograd.mode import grad_mode, no_grad


class FunctionContext(Context):
    """The context of a `Function`, with torch's ways of saving."""

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for the backward; read them there as `ctx.saved_tensors`."""
        self.saved = tensors

    @property
    def saved_tensors(self) -> tuple:
        if self.saved is None:
            raise RuntimeError("the saved tensors of this Function were freed by an earlier backward")
        return self.saved


class Function(Operator):
    """Base of a differentiable operation of one's own, shaped like `torch.autograd.Function`.

        class Square(Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * x

            @staticmethod
            def backward(ctx, grad_output):
                (x,) = ctx.saved_tensors
                return 2 * x * grad_output

        y = Square.apply(x)

    Both methods receive and return Tensors; `backward` returns one gradient, or None, for each argument of
    `forward`. Nothing inside them is recorded.
    """

    @classmethod
    def apply(cls, *arguments: Any) -> Any:
        """Run `forward` and record it where a Tensor among `arguments` requires a gradient."""
        needs = tuple([isinstance(a, Variable) and a._requires_grad for a in arguments])
        recorded = grad_mode.enabled and True in needs
        ctx = FunctionContext(needs if recorded else (False,) * len(needs))
        with no_grad():
            results = cls.forward(ctx, *arguments)
        several = isinstance(results, (tuple, list))
        outputs = list(results) if several else [results]
        for position, output in enumerate(outputs):
            if not isinstance(output, Variable):
                raise TypeError(f"{cls.__name__}.forward must return Tensors, got {type(output).__name__}")
            if any(output is argument for argument in arguments):
                outputs[position] = Variable.result_class(output._array)
        if recorded:
            adapter = type(cls.__name__, (_FunctionBackward,), {"function": cls})
            adapter.record(ctx, arguments, outputs)
            for output in outputs:
                if output._array.dtype.kind != "f":
                    output._node, output._requires_grad = None, False
        return tuple(outputs) if several else outputs[0]


class _FunctionBackward(Operator):
    """Lets the walk, which carries arrays, call a `Function`'s backward, which takes Tensors."""

    function: type[Function]
    differentiable_outputs = 2**31

    @classmethod
    def backward(cls, ctx: Context, *grad_outputs: np.ndarray) -> tuple:
        with no_grad():
            results = cls.function.backward(ctx, *[Variable.result_class(g) for g in grad_outputs])
        results = tuple(results) if isinstance(results, (tuple, list)) else (results,)
        expected = len(ctx.needs_input_grad)
        while len(results) > expected and results[-1] is None:
            results = results[:-1]
        if len(results) != expected:
            raise RuntimeError(
                f"{cls.__name__}.backward returned {len(results)} gradients, expected {expected}: one for each "
                "argument of forward"
            )
        # A copy, because the function may return a tensor that it or the user still holds.
        return tuple(r if r is None else np.array(getattr(r, "_array", r)) for r in results)
