"""`Module`: a tree of layers that knows its parameters, buffers and children by name."""

from collections import OrderedDict
from typing import Any

from minicnn.nn.calling import Calling
from minicnn.nn.conversion import Conversion
from minicnn.nn.parameter import Buffer, Parameter
from minicnn.nn.state import Stateful
from minicnn.tensor import Tensor

_HOOKS = (
    "_forward_pre_hooks",
    "_forward_hooks",
    "_backward_hooks",
    "_backward_pre_hooks",
    "_state_dict_pre_hooks",
    "_state_dict_hooks",
    "_load_state_dict_pre_hooks",
    "_load_state_dict_post_hooks",
)


class Module(Calling, Conversion, Stateful):
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

    _version = 1
    _parameters: dict[str, Parameter | None]
    _non_persistent_buffers_set: set[str]

    def __init__(self) -> None:
        # Around __setattr__, which looks into these very dictionaries.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _modules={},
            **{name: OrderedDict() for name in _HOOKS},
        )

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
        elif isinstance(value, Buffer):
            self._forget(name)
            self.register_buffer(name, value, value.persistent)
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
