"""Calling a module: its forward between the hooks that programs have registered."""

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, NamedTuple

from minicnn.autograd.hooks import RemovableHandle, register
from minicnn.nn.hooks import BackwardHooks


class HookOptions(NamedTuple):
    """How a forward hook wants to be called. Hooks are kept as they are, except those that ask for something."""

    hook: Callable
    with_kwargs: bool = False
    always_call: bool = False


def _options(entry: Any) -> HookOptions:
    return entry if isinstance(entry, HookOptions) else HookOptions(entry)


class Calling:
    """What a `Module` does when it is called."""

    _forward_pre_hooks: OrderedDict
    _forward_hooks: OrderedDict
    _backward_hooks: OrderedDict
    _backward_pre_hooks: OrderedDict

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result; every subclass defines its own.

        Raises:
            NotImplementedError: where the subclass doesn't.
        """
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks or self._backward_pre_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        called: set[int] = set()
        result = None
        try:
            args, kwargs = self._before(args, kwargs)
            backward_hooks = None
            if self._backward_hooks or self._backward_pre_hooks:
                hooks = list(self._backward_hooks.values()), list(self._backward_pre_hooks.values())
                backward_hooks = BackwardHooks(self, *hooks)
                args = backward_hooks.watch_inputs(args)
            result = self.forward(*args, **kwargs)
            for number, hook in list(self._forward_hooks.items()):
                called.add(number)
                replaced = _run(self, hook, args, kwargs, result)
                if replaced is not None:
                    result = replaced
            return backward_hooks.watch_outputs(result) if backward_hooks else result
        except Exception:
            self._call_nevertheless(called, args, kwargs, result)
            raise

    def _before(self, args: tuple, kwargs: dict) -> tuple[tuple, dict]:
        """The arguments that forward pre-hooks leave."""
        for entry in list(self._forward_pre_hooks.values()):
            hook, with_kwargs, _ = _options(entry)
            replaced = hook(self, args, kwargs) if with_kwargs else hook(self, args)
            if replaced is None:
                continue
            if not with_kwargs:
                args = replaced if isinstance(replaced, tuple) else (replaced,)
            elif isinstance(replaced, tuple) and len(replaced) == 2:
                args, kwargs = replaced
            else:
                raise RuntimeError(
                    f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {replaced}."
                )
        return args, kwargs

    def _call_nevertheless(self, called: set[int], args: tuple, kwargs: dict, result: Any) -> None:
        """After an error, the forward hooks that want to be called always and haven't been."""
        for number, hook in list(self._forward_hooks.items()):
            if not _options(hook).always_call or number in called:
                continue
            try:
                replaced = _run(self, hook, args, kwargs, result)
                result = result if replaced is None else replaced
            except Exception as error:
                warnings.warn(
                    "module forward hook with ``always_call=True`` raised an exception that was silenced as another "
                    f"error was raised in forward: {error}",
                    stacklevel=2,
                )

    def register_forward_pre_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before every forward; its result, unless None, replaces `args`.

        Args:
            hook: the function.
            prepend: call it before the hooks already there.
            with_kwargs: call `hook(module, args, kwargs)` instead, which returns None or `(args, kwargs)`.

        Returns: a handle, whose `remove()` takes the hook away.
        """
        return register(self._forward_pre_hooks, HookOptions(hook, True) if with_kwargs else hook, prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; its result, unless None, replaces `output`.

        Args:
            hook: the function.
            prepend: call it before the hooks already there.
            with_kwargs: call `hook(module, args, kwargs, output)` instead.
            always_call: call it also where forward or another hook raises; its own errors are then warnings.

        Returns: a handle, whose `remove()` takes the hook away.
        """
        entry = HookOptions(hook, with_kwargs, always_call) if with_kwargs or always_call else hook
        return register(self._forward_hooks, entry, prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients with respect to the inputs are known.

        Both are tuples, aligned with forward's positional arguments and with its results, None in place of
        what isn't a Tensor. A tuple that the hook returns replaces `grad_input`.

        Args:
            hook: the function.
            prepend: call it before the hooks already there.

        Returns: a handle, whose `remove()` takes the hook away.
        """
        return register(self._backward_hooks, hook, prepend)

    def register_full_backward_pre_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_output)` when the gradients with respect to the outputs are known.

        `grad_output` is a tuple, aligned with forward's results. A tuple that the hook returns replaces it.

        Args:
            hook: the function.
            prepend: call it before the hooks already there.

        Returns: a handle, whose `remove()` takes the hook away.
        """
        return register(self._backward_pre_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable) -> RemovableHandle:
        """Not to be had: what it showed depended on a module's last operation.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "register_backward_hook, deprecated in PyTorch, shows the gradients of a module's last operation; use "
            "register_full_backward_hook"
        )


def _run(module: Any, hook: Any, args: tuple, kwargs: dict, result: Any) -> Any:
    function, with_kwargs, _ = _options(hook)
    return function(module, args, kwargs, result) if with_kwargs else function(module, args, result)
