"""`Module`: a tree of layers that knows its parameters, buffers and children by name."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from minicnn.attributes import device as cpu_device
from minicnn.autograd import no_grad
from minicnn.dtypes import as_dtype, float32, float64
from minicnn.nn import state
from minicnn.nn.hooks import BackwardHooks, RemovableHandle, register
from minicnn.nn.parameter import Parameter
from minicnn.tensor import Tensor

_DEVICE_TYPES = {"cpu", "cuda", "mps", "xpu", "xla", "meta"}


class Module:
    """Base of everything with parameters, and of everything made of such.

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.conv = nn.Conv2d(1, 6, 5)
                self.fc = nn.Linear(6 * 24 * 24, 10)

            def forward(self, x):
                return self.fc(F.relu(self.conv(x)).flatten(1))

    Assigning a `Parameter` or a `Module` to an attribute registers it under that name.

    Attributes:
        training: whether layers such as `Dropout` behave as in training; switched by `train` and `eval`.
    """

    training: bool
    _version = 1
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _non_persistent_buffers_set: set[str]
    _modules: "dict[str, Module | None]"
    _forward_pre_hooks: OrderedDict
    _forward_hooks: OrderedDict
    _backward_hooks: OrderedDict

    def __init__(self) -> None:
        # Around __setattr__, which looks into these very dictionaries.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            _forward_pre_hooks=OrderedDict(),
            _forward_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
        )

    # ---- calling ----

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's result; every subclass defines its own.

        Raises:
            NotImplementedError: where the subclass doesn't.
        """
        raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._forward_hooks or self._forward_pre_hooks or self._backward_hooks:
            return self._call_with_hooks(args, kwargs)
        return self.forward(*args, **kwargs)

    def _call_with_hooks(self, args: tuple, kwargs: dict) -> Any:
        for hook, with_kwargs in list(self._forward_pre_hooks.values()):
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
        backward_hooks = BackwardHooks(self, list(self._backward_hooks.values())) if self._backward_hooks else None
        if backward_hooks:
            args = backward_hooks.watch_inputs(args)
        result = self.forward(*args, **kwargs)
        for hook, with_kwargs in list(self._forward_hooks.values()):
            replaced = hook(self, args, kwargs, result) if with_kwargs else hook(self, args, result)
            if replaced is not None:
                result = replaced
        return backward_hooks.watch_outputs(result) if backward_hooks else result

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
        return register(self._forward_pre_hooks, (hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after every forward; its result, unless None, replaces `output`.

        Args:
            hook: the function.
            prepend: call it before the hooks already there.
            with_kwargs: call `hook(module, args, kwargs, output)` instead.

        Returns: a handle, whose `remove()` takes the hook away.
        """
        return register(self._forward_hooks, (hook, with_kwargs), prepend)

    def register_full_backward_hook(self, hook: Callable, prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` when the gradients by the module's inputs are known.

        Both are tuples, aligned with forward's positional arguments and with its results, None in place of
        what isn't a Tensor. A tuple that the hook returns replaces `grad_input`.

        Args:
            hook: the function.
            prepend: call it before the hooks already there.

        Returns: a handle, whose `remove()` takes the hook away.
        """
        return register(self._backward_hooks, hook, prepend)

    # ---- members ----

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter, to be read as the attribute `name`.

        Args:
            name: without a dot, and not taken by another attribute.
            param: the parameter; None keeps the name for one that is absent, such as a layer's bias.

        Raises:
            AttributeError: before `Module.__init__()` has run.
            KeyError: for a name that is empty, has a dot or is taken.
            TypeError: where `name` is no string or `param` no Parameter.
            ValueError: where `param` was computed from other Tensors.
        """
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        self._check_name("parameter", name, self._parameters)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{type(param).__name__}' object to parameter '{name}' (Parameter or None required)"
            )
        if param is not None and param.grad_fn is not None:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. To express it as a function of "
                "another Tensor, compute the value in the forward() method."
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a Tensor that is state but isn't learned, to be read as the attribute `name`.

        Args:
            name: without a dot, and not taken by another attribute.
            tensor: the buffer; None keeps the name for one that is absent.
            persistent: whether it belongs to `state_dict()`.

        Raises: as `register_parameter`.
        """
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        self._check_name("buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{type(tensor).__name__}' object to buffer '{name}' (Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Add a child, to be read as the attribute `name`.

        Args:
            name: without a dot, and not taken by another attribute.
            module: the child; None keeps the name for one that is absent.

        Raises:
            KeyError: for a name that is empty, has a dot or is taken.
            TypeError: where `name` is no string or `module` no Module.
        """
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        self._check_name("module", name, self._modules)
        self._modules[name] = module

    def register_module(self, name: str, module: "Module | None") -> None:
        """The same as `add_module`."""
        self.add_module(name, module)

    def _check_name(self, kind: str, name: str, siblings: dict) -> None:
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {type(name).__name__}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in siblings and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    def __getattr__(self, name: str) -> Any:  # called only where there is no such plain attribute
        attributes = self.__dict__
        if "_buffers" in attributes:  # `Module.__init__` has run
            for members in (attributes["_parameters"], attributes["_modules"], attributes["_buffers"]):
                if name in members:
                    return members[name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")

    def __setattr__(self, name: str, value: Any) -> None:
        parameters = self.__dict__.get("_parameters")
        if parameters is None:  # before Module.__init__()
            if isinstance(value, (Parameter, Module)):
                kind = "parameters" if isinstance(value, Parameter) else "module"
                raise AttributeError(f"cannot assign {kind} before Module.__init__() call")
            super().__setattr__(name, value)
        elif isinstance(value, Parameter):
            self._forget(name)
            self._modules.pop(name, None)
            self.register_parameter(name, value)
        elif name in parameters:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as parameter '{name}' (Parameter or None expected)"
                )
            parameters[name] = None
        elif isinstance(value, Module):
            self._forget(name)
            self._modules[name] = value
        elif name in self._modules:
            if value is not None:
                raise TypeError(
                    f"cannot assign '{type(value).__name__}' as child module '{name}' (Module or None expected)"
                )
            self._modules[name] = None
        elif name in self._buffers:
            if value is not None and not isinstance(value, Tensor):
                raise TypeError(f"cannot assign '{type(value).__name__}' as buffer '{name}' (Tensor or None expected)")
            self._buffers[name] = value
        else:
            super().__setattr__(name, value)

    def _forget(self, name: str) -> None:
        """Free `name` of a plain attribute or buffer that had it."""
        self.__dict__.pop(name, None)
        self._buffers.pop(name, None)
        self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name: str) -> None:
        for members in (self._parameters, self._buffers, self._modules):
            if name in members:
                del members[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._buffers, *self._modules}
        return sorted(name for name in names if not name[0].isdigit())

    # ---- walking the tree ----

    def named_children(self) -> "Iterator[tuple[str, Module]]":
        """Names and modules of the direct children, each module once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> "Iterator[Module]":
        """The direct children, each once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: "set[Module] | None" = None, prefix: str = "", remove_duplicate: bool = True
    ) -> "Iterator[tuple[str, Module]]":
        """Dotted names and modules of the whole tree, this module first, parents before children.

        Args:
            memo: modules to leave out; those visited are added.
            prefix: what every name starts with.
            remove_duplicate: give a module that occurs twice only once.
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> "Iterator[Module]":
        """All modules of the tree, each once, this one first."""
        for _, module in self.named_modules():
            yield module

    def _named_members(
        self, members: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(None, prefix, remove_duplicate) if recurse else iter([(prefix, self)])
        for path, module in modules:
            for name, tensor in getattr(module, members).items():
                if tensor is None or id(tensor) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(tensor))
                yield f"{path}.{name}" if path else name, tensor

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Dotted names and parameters of the tree.

        Args:
            prefix: what every name starts with.
            recurse: also those of the children.
            remove_duplicate: give a parameter that occurs twice only once.
        """
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of the tree, each once; those of this module alone with `recurse=False`."""
        for _, parameter in self.named_parameters(recurse=recurse):
            yield parameter

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Dotted names and buffers of the tree; arguments as for `named_parameters`."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of the tree, each once; those of this module alone with `recurse=False`."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> "Module":
        """The module at a dotted path, such as "features.0"; "" is this module.

        Raises:
            AttributeError: where the path leads nowhere or not to a Module.
        """
        module = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a dotted path, such as "features.0.weight".

        Raises:
            AttributeError: where the path leads nowhere or not to a Parameter.
        """
        found = self._get_member(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{target}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a dotted path, such as "features.1.running_mean".

        Raises:
            AttributeError: where the path leads nowhere or not to a buffer.
        """
        found = self._get_member(target)
        path, _, name = target.rpartition(".")
        if name not in self.get_submodule(path)._buffers:
            raise AttributeError(f"`{target}` is not a buffer")
        return found

    def _get_member(self, target: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        if not hasattr(module, name):
            raise AttributeError(f"{type(module).__name__} has no attribute `{name}`")
        return getattr(module, name)

    # ---- acting on the tree ----

    def apply(self, fn: "Callable[[Module], None]") -> "Module":
        """Call `fn(module)` on every module of the tree, children first, and return this module."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self, mode: bool = True) -> "Module":
        """Put the tree into training mode, or out of it, and return this module.

        Raises:
            ValueError: where `mode` is no bool.
        """
        if not isinstance(mode, bool):
            raise ValueError(f"training mode is expected to be boolean, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> "Module":
        """The same as `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> "Module":
        """Let all parameters require a gradient, or none, and return this module."""
        for parameter in self.parameters():
            parameter.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop every parameter's gradient, or fill it with zeros where `set_to_none` is False."""
        for parameter in self.parameters():
            if set_to_none:
                parameter.grad = None
            elif parameter.grad is not None:
                parameter.grad.zero_()

    def _apply(self, convert: Callable[[Tensor], Tensor]) -> "Module":
        """Replace the values of parameters, gradients and buffers by what `convert` makes of them."""
        for module in self.modules():
            with no_grad():
                for parameter in module._parameters.values():
                    if parameter is None:
                        continue
                    parameter.data = convert(parameter.data)
                    if parameter.grad is not None:
                        parameter.grad = convert(parameter.grad)
                for name, buffer in module._buffers.items():
                    if buffer is not None:
                        module._buffers[name] = convert(buffer)
        return self

    def to(self, *args: Any, device: Any = None, dtype: Any = None, non_blocking: bool = False) -> "Module":
        """Convert parameters and buffers of floating-point dtype, in place, and return this module.

        Args:
            args: a device, a dtype, both in this order, or a Tensor whose dtype to take.
            device: "cpu"; there is no other.
            dtype: a floating-point dtype.
            non_blocking: there is nothing to wait for on a CPU, so both values mean the same.

        Raises:
            RuntimeError: for another device.
            TypeError: for a dtype that isn't of floating point.
        """
        for argument in args:
            if isinstance(argument, Tensor):
                dtype = argument.dtype
            elif argument is None or isinstance(argument, bool):  # no device given; non_blocking
                continue
            elif isinstance(argument, (cpu_device, int)) or str(argument).split(":")[0] in _DEVICE_TYPES:
                device = argument
            else:
                dtype = argument
        if device is not None:
            cpu_device(device)
        if dtype is None:
            return self
        dtype = as_dtype(dtype)
        if dtype.kind != "f":
            raise TypeError(f"nn.Module.to only accepts floating point dtypes, but got desired dtype={dtype}")
        return self._apply(lambda tensor: tensor.to(dtype) if tensor._array.dtype.kind == "f" else tensor)

    def float(self) -> "Module":
        """Convert parameters and buffers of floating-point dtype to float32."""
        return self.to(dtype=float32)

    def double(self) -> "Module":
        """Convert parameters and buffers of floating-point dtype to float64."""
        return self.to(dtype=float64)

    def cpu(self) -> "Module":
        """This module: everything is on the CPU already."""
        return self

    def cuda(self, device: Any = None) -> "Module":
        """Not to be had.

        Raises:
            RuntimeError: always; the same models for CUDA are in `reference`.
        """
        return self.to(device="cuda" if device is None else f"cuda:{device}")

    # ---- state ----

    def state_dict(self, *, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
        """Parameters and persistent buffers by their dotted names.

        Args:
            destination: a mapping to add to; a new ordered dictionary by default.
            prefix: what every name starts with.
            keep_vars: give the parameters themselves instead of Tensors outside the graph that share
                their memory.
        """
        return state.write(self, destination, prefix, keep_vars)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True) -> state.IncompatibleKeys:
        """Copy values into parameters and buffers, converted to their dtypes; all of them, or none.

        Args:
            state_dict: dotted names to Tensors, ndarrays or torch tensors.
            strict: whether the names must be exactly those of `state_dict()`.

        Returns: a named tuple of `missing_keys` and `unexpected_keys`.

        Raises:
            RuntimeError: naming every missing or unexpected key (where strict) and every value that doesn't
                fit; the module is then unchanged.
            TypeError: where `state_dict` is no mapping.
        """
        return state.read(self, state_dict, strict)

    def _may_lack(self, name: str, version: int | None) -> bool:
        """Whether a state dict written by `version` of this class is complete without `name`."""
        return False

    # ---- printing ----

    def extra_repr(self) -> str:
        """What stands between the parentheses when the module is printed; subclasses define their own."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        if len(lines) == 1 and not self._modules:
            return f"{self._get_name()}({extra})"
        lines += [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        body = "".join(f"\n  {line}" for line in lines) + "\n" if lines else ""
        return f"{self._get_name()}({body})"

    def _get_name(self) -> str:
        return type(self).__name__


def indented(text: str) -> str:
    """`text` with two spaces before every line but the first."""
    return text.replace("\n", "\n  ")
