"""Which module of minicnn serves each module of torch and torchvision."""

LIBRARIES = ("torch", "torchvision")

PATHS: dict[str, str] = {
    "torch": "minicnn",
    "torch.accelerator": "minicnn.accelerator",
    "torch.amp": "minicnn.amp",
    "torch.amp.autocast_mode": "minicnn.amp",
    "torch.amp.grad_scaler": "minicnn.amp",
    "torch.autograd": "minicnn.autograd",
    "torch.autograd.function": "minicnn.autograd",
    "torch.autograd.grad_mode": "minicnn.autograd",
    "torch.autograd.gradcheck": "minicnn.autograd",
    "torch.autograd.variable": "minicnn.autograd",
    "torch.backends": "minicnn.backends",
    "torch.backends.cuda": "minicnn.backends.cuda",
    "torch.backends.cudnn": "minicnn.backends.cudnn",
    "torch.backends.mps": "minicnn.backends.mps",
    "torch.cuda": "minicnn.cuda",
    "torch.cuda.amp": "minicnn.cuda.amp",
    "torch.cuda.amp.autocast_mode": "minicnn.cuda.amp",
    "torch.cuda.amp.grad_scaler": "minicnn.cuda.amp",
    "torch.functional": "minicnn",
    "torch.multiprocessing": "multiprocessing",
    "torch.nn": "minicnn.nn",
    "torch.nn.functional": "minicnn.nn.functional",
    "torch.nn.init": "minicnn.nn.init",
    "torch.nn.modules": "minicnn.nn",
    "torch.nn.modules.activation": "minicnn.nn",
    "torch.nn.modules.batchnorm": "minicnn.nn",
    "torch.nn.modules.channelshuffle": "minicnn.nn",
    "torch.nn.modules.container": "minicnn.nn",
    "torch.nn.modules.conv": "minicnn.nn",
    "torch.nn.modules.distance": "minicnn.nn",
    "torch.nn.modules.dropout": "minicnn.nn",
    "torch.nn.modules.flatten": "minicnn.nn",
    "torch.nn.modules.fold": "minicnn.nn",
    "torch.nn.modules.instancenorm": "minicnn.nn",
    "torch.nn.modules.lazy": "minicnn.nn.layers.lazy",
    "torch.nn.modules.linear": "minicnn.nn",
    "torch.nn.modules.loss": "minicnn.nn",
    "torch.nn.modules.module": "minicnn.nn",
    "torch.nn.modules.normalization": "minicnn.nn",
    "torch.nn.modules.padding": "minicnn.nn",
    "torch.nn.modules.pixelshuffle": "minicnn.nn",
    "torch.nn.modules.pooling": "minicnn.nn",
    "torch.nn.modules.sparse": "minicnn.nn",
    "torch.nn.modules.upsampling": "minicnn.nn",
    "torch.nn.modules.utils": "minicnn.nn.tuples",
    "torch.nn.parallel": "minicnn.nn.parallel",
    "torch.nn.parallel.data_parallel": "minicnn.nn.parallel",
    "torch.nn.parallel.distributed": "minicnn.nn.parallel",
    "torch.nn.parameter": "minicnn.nn",
    "torch.nn.utils": "minicnn.nn.utils",
    "torch.nn.utils.clip_grad": "minicnn.nn.utils",
    "torch.optim": "minicnn.optim",
    "torch.optim.adadelta": "minicnn.optim",
    "torch.optim.adagrad": "minicnn.optim",
    "torch.optim.adam": "minicnn.optim",
    "torch.optim.adamax": "minicnn.optim",
    "torch.optim.adamw": "minicnn.optim",
    "torch.optim.lbfgs": "minicnn.optim",
    "torch.optim.lr_scheduler": "minicnn.optim.lr_scheduler",
    "torch.optim.optimizer": "minicnn.optim.optimizer",
    "torch.optim.rmsprop": "minicnn.optim",
    "torch.optim.sgd": "minicnn.optim",
    "torch.optim.swa_utils": "minicnn.optim.swa_utils",
    "torch.random": "minicnn.random",
    "torch.serialization": "minicnn.serialization",
    "torch.utils": "minicnn.utils",
    "torch.utils.checkpoint": "minicnn.utils.checkpoint",
    "torch.utils.data": "minicnn.utils.data",
    "torch.utils.data._utils": "minicnn.utils.data",
    "torch.utils.data._utils.collate": "minicnn.utils.data.collate",
    "torch.utils.data.dataloader": "minicnn.utils.data.dataloader",
    "torch.utils.data.dataset": "minicnn.utils.data.dataset",
    "torch.utils.data.sampler": "minicnn.utils.data.sampler",
    "torch.utils.tensorboard": "minicnn.utils.tensorboard",
    "torch.utils.tensorboard.writer": "minicnn.utils.tensorboard",
    "torch.version": "minicnn.version",
    "torchvision": "minicnn",
    "torchvision.datasets": "minicnn.datasets",
    "torchvision.datasets.cifar": "minicnn.datasets",
    "torchvision.datasets.folder": "minicnn.datasets",
    "torchvision.datasets.mnist": "minicnn.datasets",
    "torchvision.datasets.vision": "minicnn.datasets",
    "torchvision.io": "minicnn.io",
    "torchvision.io.image": "minicnn.io",
    "torchvision.models": "minicnn.models",
    "torchvision.models.alexnet": "minicnn.models.alexnet",
    "torchvision.models.resnet": "minicnn.models.resnet",
    "torchvision.models.vgg": "minicnn.models.vgg",
    "torchvision.transforms": "minicnn.transforms",
    "torchvision.transforms.transforms": "minicnn.transforms",
    "torchvision.utils": "minicnn.utils",
}
"""Module path → the module whose names it has; one entry for every path that programs may import."""

NAMES: dict[str, str] = {
    "torch.nn.modules.batchnorm._BatchNorm": "minicnn.nn.layers.normalization._BatchNorm",
    "torch.nn.modules.conv._ConvNd": "minicnn.nn.layers.convolution._Convolution",
    "torch.nn.modules.instancenorm._InstanceNorm": "minicnn.nn.layers.parts._InstanceNorm",
    "torch.nn.modules.loss._Loss": "minicnn.nn.layers.loss._Loss",
}
"""Names with an underscore that programs ask for, mostly in `isinstance` → where minicnn has them."""


def is_theirs(path: str) -> bool:
    """Whether a module path is torch's or torchvision's."""
    return path.partition(".")[0] in LIBRARIES


def served_by(path: str) -> str | None:
    """The module that serves a path of torch's, of torchvision's, or such a path below `minicnn`; None if none does."""
    root, dot, rest = path.partition(".")
    if root != "minicnn":
        return PATHS.get(path)
    return next((PATHS[own] for own in (f"{library}{dot}{rest}" for library in LIBRARIES) if own in PATHS), None)
