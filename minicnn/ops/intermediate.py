"""What a network computes on its way, under torchvision's names."""

from collections import OrderedDict

from minicnn import Tensor, nn


class IntermediateLayerGetter(nn.ModuleDict):
    """The children of a network, called one after another, up to the last whose output is wanted.

    Args:
        model: its children must be called once each, in the order in which they were assigned.
        return_layers: names of children → names in the result.

    Raises:
        ValueError: for a name that isn't a child's.
    """

    def __init__(self, model: nn.Module, return_layers: dict[str, str]) -> None:
        children = dict(model.named_children())
        if not set(return_layers) <= set(children):
            raise ValueError("return_layers are not present in model")
        wanted = {str(name): str(new) for name, new in return_layers.items()}
        last = max((position for position, name in enumerate(children) if name in wanted), default=-1)
        super().__init__(OrderedDict([*children.items()][: last + 1]) if wanted else OrderedDict(children))
        self.return_layers = wanted

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        """The outputs of the layers that are wanted, under their new names."""
        found = OrderedDict()
        for name, module in self.items():
            x = module(x)
            if name in self.return_layers:
                found[self.return_layers[name]] = x
        return found
