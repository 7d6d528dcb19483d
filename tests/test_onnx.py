"""ONNX out, checked by onnxruntime; in, checked by what went out and by the examples of ONNX's own operators."""

import contextlib
import importlib
import re
import subprocess
import sys
import warnings
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper
from onnx.backend.test.loader import load_model_tests

import minicnn
import minicnn.onnx
from benchmarks.work import networks
from minicnn import models, nn
from minicnn.nn import functional as F
from minicnn.onnx import ExportError
from minicnn.onnx.reading import NODES
from tests.exported import compared

IMAGES, ROWS, SIGNALS, VOLUMES = (2, 6, 9, 8), (2, 6), (2, 6, 10), (2, 6, 5, 4, 3)

MODULES = {
    "Conv2d": (nn.Conv2d(6, 4, 3, 2, 1, bias=False), IMAGES),
    "Conv2d, lopsided": (nn.Conv2d(6, 4, 4, padding="same"), IMAGES),
    "Conv2d, groups": (nn.Conv2d(6, 12, (3, 2), dilation=(2, 1), groups=3), IMAGES),
    "Conv2d, reflect": (nn.Conv2d(6, 4, 3, padding=2, padding_mode="reflect"), IMAGES),
    "Conv1d": (nn.Conv1d(6, 4, 3, 2, 1), SIGNALS),
    "ConvTranspose2d": (nn.ConvTranspose2d(6, 4, 3, 2, 1, 1, groups=2), IMAGES),
    "ConvTranspose1d": (nn.ConvTranspose1d(6, 4, 3, 2), SIGNALS),
    "Linear": (nn.Linear(6, 3), ROWS),
    "Linear of many axes": (nn.Linear(8, 3, bias=False), IMAGES),
    "Bilinear upsampling": (nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True), IMAGES),
    "Bicubic upsampling": (nn.Upsample(size=(13, 7), mode="bicubic"), IMAGES),
    "Nearest upsampling": (nn.Upsample(scale_factor=1.5), IMAGES),
    "Linear upsampling": (nn.Upsample(scale_factor=2, mode="linear"), SIGNALS),
    "MaxPool2d": (nn.MaxPool2d(3, 2, 1), IMAGES),
    "MaxPool2d, rounded up": (nn.MaxPool2d(2, ceil_mode=True, dilation=(2, 1)), IMAGES),
    "MaxPool1d": (nn.MaxPool1d(2), SIGNALS),
    "AvgPool2d": (nn.AvgPool2d(2), IMAGES),
    "AvgPool2d, one window": (nn.AvgPool2d((6, 8)), IMAGES),
    "AvgPool2d, padded": (nn.AvgPool2d(3, 2, 1), IMAGES),
    "AvgPool2d, rounded up": (nn.AvgPool2d(3, 2, 1, ceil_mode=True, count_include_pad=False), IMAGES),
    "AvgPool1d": (nn.AvgPool1d(3, 1, 1), SIGNALS),
    "AdaptiveAvgPool2d": (nn.AdaptiveAvgPool2d((4, 3)), IMAGES),
    "AdaptiveAvgPool1d": (nn.AdaptiveAvgPool1d(3), SIGNALS),
    "AdaptiveAvgPool2d to one": (nn.AdaptiveAvgPool2d(1), IMAGES),
    "AdaptiveMaxPool2d": (nn.AdaptiveMaxPool2d((3, 4)), IMAGES),
    "AdaptiveMaxPool2d to parts unlike": (nn.AdaptiveMaxPool2d((4, 3)), IMAGES),
    "AdaptiveMaxPool1d": (nn.AdaptiveMaxPool1d(4), SIGNALS),
    "LPPool1d": (nn.LPPool1d(3, 2), SIGNALS),
    "LPPool2d": (nn.LPPool2d(2, 3), IMAGES),
    "BatchNorm2d": (nn.BatchNorm2d(6), IMAGES),
    "BatchNorm1d": (nn.BatchNorm1d(6, affine=False), ROWS),
    "InstanceNorm2d": (nn.InstanceNorm2d(6, affine=True), IMAGES),
    "GroupNorm": (nn.GroupNorm(3, 6), IMAGES),
    "GroupNorm of rows": (nn.GroupNorm(2, 6, affine=False), SIGNALS),
    "LayerNorm": (nn.LayerNorm((9, 8)), IMAGES),
    "LayerNorm without factors": (nn.LayerNorm(8, elementwise_affine=False), IMAGES),
    "RMSNorm": (nn.RMSNorm(8), IMAGES),
    "LocalResponseNorm": (nn.LocalResponseNorm(3), IMAGES),
    "LocalResponseNorm, even": (nn.LocalResponseNorm(4, 2.0, k=0.5), IMAGES),
    "InstanceNorm2d, followed": (nn.InstanceNorm2d(6, track_running_stats=True), IMAGES),
    "PixelShuffle": (nn.PixelShuffle(2), (2, 8, 3, 5)),
    "PixelUnshuffle": (nn.PixelUnshuffle(2), (2, 3, 4, 6)),
    "ChannelShuffle": (nn.ChannelShuffle(3), IMAGES),
    "Unfold": (nn.Unfold((3, 2), 1, 1, 2), IMAGES),
    "Fold": (nn.Fold((5, 6), (3, 2), stride=2, padding=1), (2, 6, 12)),
    "Flatten": (nn.Flatten(), IMAGES),
    "Unflatten": (nn.Unflatten(1, (2, 3)), IMAGES),
    "Softmax": (nn.Softmax(1), IMAGES),
    "LogSoftmax": (nn.LogSoftmax(-1), ROWS),
    "Softmin": (nn.Softmin(1), ROWS),
    "GLU": (nn.GLU(1), IMAGES),
    "PReLU": (nn.PReLU(6), IMAGES),
    "Threshold": (nn.Threshold(0.1, 7), IMAGES),
    "Softplus": (nn.Softplus(2, 1), IMAGES),
    "GELU by tanh": (nn.GELU("tanh"), IMAGES),
    "Dropout": (nn.Dropout(), IMAGES),
    "Softmax2d": (nn.Softmax2d(), IMAGES),
    "UpsamplingBilinear2d": (nn.UpsamplingBilinear2d(scale_factor=2), IMAGES),
    "UpsamplingNearest2d": (nn.UpsamplingNearest2d(size=(5, 11)), IMAGES),
    "DataParallel": (nn.DataParallel(nn.Linear(6, 3)), ROWS),
    "LazyConv1d": (nn.LazyConv1d(4, 3), SIGNALS),
    "LazyConvTranspose1d": (nn.LazyConvTranspose1d(4, 3), SIGNALS),
    "LazyConvTranspose2d": (nn.LazyConvTranspose2d(4, 3), IMAGES),
    "TransformerEncoder": (
        nn.TransformerEncoder(nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), 2), (2, 5, 6)
    ),
    "Lazy": (nn.Sequential(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2)), IMAGES),
    "Attention": (nn.TransformerEncoderLayer(6, 2, 8, batch_first=True), (2, 5, 6)),
    **{
        name: (getattr(nn, name)(), IMAGES)
        for name in (
            "CELU", "ELU", "GELU", "Hardshrink", "Hardsigmoid", "Hardswish", "Hardtanh", "Identity", "LeakyReLU",
            "LogSigmoid", "Mish", "RReLU", "ReLU", "ReLU6", "SELU", "SiLU", "Sigmoid", "Softshrink", "Softsign", "Tanh",
            "Tanhshrink", "AlphaDropout", "FeatureAlphaDropout",
        )
    },
    **{
        f"{name}{axes}d": (getattr(nn, f"{name}{axes}d")(*arguments), shape)
        for axes, shape in ((1, SIGNALS), (2, IMAGES), (3, VOLUMES))
        for name, *arguments in (
            ("Dropout",), ("BatchNorm", 6), ("InstanceNorm", 6), ("LazyBatchNorm",), ("LazyInstanceNorm",),
            ("ConstantPad", (1, 2) * axes, 3.5), ("CircularPad", (1, 2) * axes), ("ReflectionPad", (1, 2) * axes),
            ("ReplicationPad", (1, 2) * axes), ("ZeroPad", (1, 2) * axes),
        )
    },
    **{
        name: (getattr(nn, name)((1, 2, 0, 3)), IMAGES)
        for name in ("CircularPad2d", "ReflectionPad2d", "ReplicationPad2d", "ZeroPad2d")
    },
}  # fmt: skip


class Functions(nn.Module):
    """A module of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function
        self.weight = nn.Parameter(minicnn.randn(6, generator=minicnn.Generator().manual_seed(0)))

    def forward(self, x):
        return self.function(self, x)


FUNCTIONS = {
    "two outputs": lambda m, x: (x + 1, x.mean(1)),
    "views": lambda m, x: x[:, 1:5:2, None, -1].transpose(1, -1).unsqueeze(0).squeeze(0),
    "parts": lambda m, x: minicnn.cat([*x.chunk(2, 1)[::-1], x.flip(1)], 1),
    "split and unbind": lambda m, x: x.split([2, 4], 1)[1] + minicnn.stack(x.unbind(1)[:4], 1),
    "sums": lambda m, x: (
        x.sum(1, keepdim=True) + x.amax((2, 3), keepdim=True) + x.logsumexp(1, keepdim=True) + x.var(1, keepdim=True)
    ),
    "largest": lambda m, x: x.max(1)[0] - x.min(1).values + x.std((1, 2)).unsqueeze(1),
    "numbers": lambda m, x: (2 - x) ** 2 / (1 + x.abs()).sqrt() * x.clamp(-1, 1) + x.exp().log1p(),
    "in place": lambda m, x: x.clone().mul_(2).add_(m.weight[:, None, None]).relu_(),
    "assignment": lambda m, x: F.relu(x + 0, inplace=True) * m.weight.view(1, 6, 1, 1),
    "a row of zeros for every example": lambda m, x: x + minicnn.zeros(len(x), 1, 1, 1),
    "one for every example": lambda m, x: minicnn.cat([m.weight[:1].expand(len(x), 1), x.flatten(1)], 1),
    "products": lambda m, x: x @ x.transpose(2, 3) + minicnn.bmm(x[:, 0], x[:, 1].mT).unsqueeze(1),
    "index": lambda m, x: x[:, [0, 2, 2]] + x.index_select(1, minicnn.tensor([1, 3, 5])),
    "masked": lambda m, x: x.masked_fill(minicnn.tensor([True, False] * 4), 3.0),
    "repeated": lambda m, x: x.repeat(1, 2, 1, 1).repeat_interleave(2, 3) + x.sum(),
    "norms": lambda m, x: x / x.norm(dim=1, keepdim=True) + F.normalize(x, dim=1),
    "reshaped over the batch": lambda m, x: x.reshape(len(x) * 6, -1).reshape(len(x), -1, 9, 8).permute(0, 2, 3, 1),
    "comparisons": lambda m, x: (
        x * (x > 0) + (x <= m.weight[:, None, None]).float() - ((x != 1) & ~(x < -1) | (x == 2)).to(x.dtype)
    ),
    "bits": lambda m, x: (
        (x * 9).short() & 6,
        (x * 9).int() | 3,
        ~(x * 9).char(),
        (x > 0) ^ (x > 1),
        (x * 9).short() > 4,
    ),
    "masked by itself": lambda m, x: x.masked_fill(x < 0.1, -2).where(x > -1, x * 2),
    "positions": lambda m, x: (x.argmax(1), x.argmin(-1, keepdim=True), x[:1].argmax(), x.max(2)[1]),
    "truth": lambda m, x: (
        (x > 1).any(1),
        (x > -2).all(3),
        (x > 0).sum(1),
        x.round().count_nonzero(2),
    ),
    "finite": lambda m, x: x.isnan().float() + x.isfinite() + x.isinf().logical_not().int(),
    "order": lambda m, x: (*x.topk(2, 1), x.sort(2, descending=True)[0], x.argsort(-1)),
    "one for each class": lambda m, x: F.one_hot(x.argmax(1), 6).float() + x.argmax(1)[..., None],
    "put": lambda m, x: (
        minicnn.zeros_like(x).scatter(1, x.argmax(1, keepdim=True), 1.0)
        + x.scatter_add(1, x.argmin(1, keepdim=True), x)
    ),
    "detached": lambda m, x: x.detach() * 2 + x.data,
    "whole numbers": lambda m, x: x.floor() + x // 0.5 + x % 0.7 + minicnn.fmod(x, 0.6) + (x * 9).int() // 4 % 3,
    "triangles": lambda m, x: x.tril() + x.triu(1) + minicnn.ones(9, 8).tril(-1),
    "rolled": lambda m, x: x.roll(1, 1) + x.roll((2, -1), (2, 3)),
    "numbers that are none": lambda m, x: minicnn.nan_to_num(x / x.round()),
    "over the size of the batch": lambda m, x: x.sum() / len(x) + x.flatten(1).sum() / (2 * len(x)),
    "over the rest of the memory": lambda m, x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    "places and back": lambda m, x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2, output_size=x.shape),
    "places": lambda m, x: F.max_pool2d(x, 3, 2, 1, return_indices=True),
    "sampled": lambda m, x: F.grid_sample(
        x,
        F.affine_grid(minicnn.eye(2, 3).expand(len(x), 2, 3), x.shape, align_corners=False),
        align_corners=False,
    ),
    "near zero": lambda m, x: F.cosine_similarity(x * (x > 5), x, dim=1),
    "special": lambda m, x: (
        minicnn.erf(x) + minicnn.sin(x).cos() + minicnn.tanh(x).atan() + x.abs().rsqrt() + x.square()
    ),
}


def answers(file, *inputs):
    """What onnxruntime makes of a file."""
    session = onnxruntime.InferenceSession(file)
    return session.run(None, {one.name: array for one, array in zip(session.get_inputs(), inputs, strict=True)})


def agree(model, shape, batches=(1, 2, 5)):
    """The exported model gives, in onnxruntime and read back, what the model gives, for batches of any size."""
    model.eval()
    rng = np.random.default_rng(0)
    file = minicnn.onnx.export(
        model, minicnn.from_numpy(rng.standard_normal(shape).astype(np.float32))
    ).SerializeToString()
    again = minicnn.onnx.load(file)
    for batch in batches:
        x = rng.standard_normal((batch, *shape[1:])).astype(np.float32)
        expected = model(minicnn.from_numpy(x))
        expected = expected if isinstance(expected, tuple) else (expected,)
        read = again(minicnn.from_numpy(x))
        read = read if isinstance(read, tuple) else (read,)
        for one, other, theirs in zip(expected, read, answers(file, x), strict=True):
            wanted, back = one.detach().numpy(), other.detach().numpy()
            assert (theirs.shape, theirs.dtype) == (wanted.shape, wanted.dtype) == (back.shape, back.dtype)
            scale = max(1.0, float(np.abs(wanted).max()))
            np.testing.assert_allclose(theirs * 1.0, wanted * 1.0, rtol=0, atol=1e-5 * scale)
            np.testing.assert_allclose(back * 1.0, wanted * 1.0, rtol=0, atol=1e-5 * scale)


@pytest.mark.parametrize("name", MODULES)
def test_module(name):
    agree(*MODULES[name])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_function(name):
    agree(Functions(FUNCTIONS[name]), IMAGES)


def real(*shape):
    return np.random.default_rng(len(shape)).standard_normal(shape).astype(np.float32)


def share(*shape):
    return np.random.default_rng(7).random(shape).astype(np.float32)


def sign(*shape):
    return np.sign(real(*shape))


def label(classes, *shape):
    return np.random.default_rng(3).integers(0, classes, shape)


def factors(classes):
    return minicnn.from_numpy(share(classes) + 0.5)


PAIRS, SCORES, LABELS = (real(5, 4), real(4, 5).T.copy()), real(5, 6), label(6, 5)
LISTED = np.array([[1, 2, -1, 0], [0, -1, 1, 1], [3, 2, 1, 0], [-1, 0, 0, 0], [2, 2, -1, -1]])

SEVERAL = {
    **{
        type(module).__name__: (module, PAIRS)
        for module in (
            nn.Bilinear(4, 4, 3), nn.CosineSimilarity(), nn.PairwiseDistance(), nn.MSELoss(), nn.L1Loss(),
            nn.HuberLoss(delta=0.5), nn.SmoothL1Loss(beta=0.3),
        )
    },
    **{
        f"{kind.__name__}, {reduction}": (kind(weight, reduction=reduction, ignore_index=2), (SCORES, LABELS))
        for kind in (nn.CrossEntropyLoss, nn.NLLLoss)
        for reduction in ("mean", "sum", "none")
        for weight in (None, factors(6))
    },
    "CrossEntropyLoss, smoothed": (
        nn.CrossEntropyLoss(factors(6), label_smoothing=0.1, ignore_index=2), (SCORES, LABELS)
    ),
    "CrossEntropyLoss of images": (nn.CrossEntropyLoss(label_smoothing=0.2), (real(4, 6, 3, 2), label(6, 4, 3, 2))),
    "CrossEntropyLoss of probabilities": (nn.CrossEntropyLoss(), (SCORES, share(5, 6))),
    "NLLLoss of images": (nn.NLLLoss(), (real(4, 6, 3, 2), label(6, 4, 3, 2))),
    "BCELoss": (nn.BCELoss(factors(6)), (share(5, 6), share(5, 6)[::-1].copy())),
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(pos_weight=factors(6)), (SCORES, share(5, 6))),
    "BCEWithLogitsLoss, none": (nn.BCEWithLogitsLoss(factors(6), reduction="none"), (SCORES, share(5, 6))),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss(margin=0.2), (*PAIRS, sign(5))),
    "GaussianNLLLoss": (nn.GaussianNLLLoss(full=True), (*PAIRS, share(5, 4))),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss(), (real(5, 4), sign(5, 4))),
    "KLDivLoss": (nn.KLDivLoss(reduction="batchmean"), (SCORES, share(5, 6))),
    "KLDivLoss of logarithms": (nn.KLDivLoss(log_target=True), (SCORES, -share(5, 6))),
    "MarginRankingLoss": (nn.MarginRankingLoss(0.3), (real(5), share(5), sign(5))),
    "MultiLabelMarginLoss": (nn.MultiLabelMarginLoss(), (real(5, 4), LISTED)),
    "MultiLabelSoftMarginLoss": (nn.MultiLabelSoftMarginLoss(), (real(5, 4), share(5, 4).round())),
    "MultiMarginLoss": (nn.MultiMarginLoss(2, 0.7, factors(6)), (SCORES, LABELS)),
    "PoissonNLLLoss": (nn.PoissonNLLLoss(), (real(5, 4), share(5, 4))),
    "PoissonNLLLoss, full": (nn.PoissonNLLLoss(False, True), (share(5, 4), share(5, 4) * 3)),
    "SoftMarginLoss": (nn.SoftMarginLoss(), (real(5, 4), sign(5, 4))),
    "TripletMarginLoss": (nn.TripletMarginLoss(swap=True), (*PAIRS, share(5, 4))),
    "TripletMarginWithDistanceLoss": (nn.TripletMarginWithDistanceLoss(), (*PAIRS, share(5, 4))),
    "MultiheadAttention": (nn.MultiheadAttention(6, 2, batch_first=True), (real(5, 3, 6), *[real(5, 4, 6)] * 2)),
    "Transformer": (nn.Transformer(6, 2, 1, 1, 8, batch_first=True), (real(5, 3, 6), real(5, 4, 6))),
    "TransformerDecoder": (
        nn.TransformerDecoder(nn.TransformerDecoderLayer(6, 2, 8, batch_first=True), 2), (real(5, 3, 6), real(5, 4, 6))
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEVERAL)
def test_module_of_several_inputs(name):
    """Exported for a part of the examples, computed for all."""
    module, inputs = SEVERAL[name]
    module.eval()
    tensors = [minicnn.from_numpy(one) for one in inputs]
    file = minicnn.onnx.export(module, [one[:3] for one in tensors]).SerializeToString()
    expected, read = module(*tensors), minicnn.onnx.load(file)(*tensors)
    expected, read = (one if isinstance(one, tuple) else (one,) for one in (expected, read))
    for one, theirs, back in zip(expected, answers(file, *inputs), read, strict=True):
        assert theirs.shape == tuple(one.shape) == tuple(back.shape)
        np.testing.assert_allclose(theirs, one.detach().numpy(), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(back.detach().numpy(), one.detach().numpy(), rtol=1e-5, atol=1e-5)


def test_every_module_is_tried():
    """What has no file is no layer: what holds others, and what computes in several processes."""
    text = Path(__file__).read_text()
    modules = {name for name in dir(nn) if isinstance(one := getattr(nn, name), type) and issubclass(one, nn.Module)}
    families = {name for name in modules if name[-2:] in ("1d", "2d", "3d") and f'"{name[:-2]}"' in text}
    untried = {name for name in modules - families if not re.search(rf"\b{name}\b", text)}
    holders = {"ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "SyncBatchNorm", "NLLLoss2d"}
    assert untried <= {*holders, "MaxUnpool1d", "MaxUnpool2d"}  # of these the function is tried


@pytest.mark.parametrize(("name", "shape"), [("lenet", (2, 1, 28, 28)), ("resnet18", (2, 3, 64, 64))])
def test_network(name, shape):
    model = getattr(models, name)()
    agree(model, shape)
    read = minicnn.onnx.load(minicnn.onnx.export(model, minicnn.randn(shape)).SerializeToString())
    learned = dict(model.named_parameters())
    assert {name: tuple(p.shape) for name, p in read.named_parameters()} == {
        n: tuple(p.shape) for n, p in learned.items()
    }
    missing = model.load_state_dict(read.state_dict(), strict=False)
    assert not missing.unexpected_keys
    assert all(name.endswith("num_batches_tracked") for name in missing.missing_keys)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mobilenet", "inverted_residuals", "shufflenet", "resnext", "densenet", "unet"])
def test_network_of_the_benchmarks(name):
    agree(getattr(networks, name)(minicnn), (2, 3, 32, 32))


def test_programs_written_for_pytorch_export(tmp_path):
    path, program = tmp_path / "model.onnx", tmp_path / "program.py"
    options = "input_names=['x'], dynamic_axes={'x': {0: 'batch'}}, do_constant_folding=True, verbose=False"
    call = f"torch.onnx.export(torch.nn.Linear(3, 2), torch.randn(1, 3), {str(path)!r}, {options})"
    program.write_text(f"import torch, torch.onnx\n{call}\n")
    subprocess.run([sys.executable, "-m", "minicnn", "run", program], check=True)
    assert minicnn.onnx.load(path)(minicnn.zeros(4, 3)).shape == (4, 2)
    with pytest.raises(ValueError, match="export_params"):
        minicnn.onnx.export(nn.Linear(3, 2), minicnn.zeros(1, 3), export_params=False)
    with pytest.raises(ExportError, match="operator set 7"):
        minicnn.onnx.export(nn.Linear(3, 2), minicnn.zeros(1, 3), opset_version=7)


def test_what_was_read_can_be_trained():
    read = minicnn.onnx.load(minicnn.onnx.export(models.lenet(), minicnn.randn(2, 1, 28, 28)).SerializeToString())
    F.cross_entropy(read(minicnn.randn(4, 1, 28, 28)), minicnn.tensor([1, 2, 3, 4])).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in read.parameters())


def test_words_and_several_inputs():
    class Pair(nn.Module):
        def __init__(self):
            super().__init__()
            self.words = nn.Embedding(7, 4)

        def forward(self, x, indices):
            return x @ self.words(indices).transpose(1, 2)

    model, x, i = Pair(), minicnn.randn(2, 3, 4), minicnn.tensor([[0, 1], [6, 2]])
    file = minicnn.onnx.export(model, (x, i), input_names=["x", "i"], output_names=["y"]).SerializeToString()
    x, i = np.random.default_rng(0).standard_normal((3, 3, 4)).astype(np.float32), np.array([[1, 2], [3, 4], [5, 6]])
    expected = model(minicnn.from_numpy(x), minicnn.from_numpy(i)).detach().numpy()
    np.testing.assert_allclose(answers(file, x, i)[0], expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(
        minicnn.onnx.load(file)(minicnn.from_numpy(x), minicnn.from_numpy(i)).detach().numpy(), expected
    )


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda m, x: x * minicnn.from_numpy(x.numpy() > 0), "depend on its input"),
        (lambda m, x: x + minicnn.isin(x.round(), minicnn.tensor([9.0])), "Found"),
        (lambda m, x: x + minicnn.isclose(x, x), "no ONNX is written for"),
        (lambda m, x: x.kthvalue(2, 1)[0], "depends on the input"),
        (lambda m, x: x + float(x.sum()), "depends on the input"),
        (lambda m, x: x + minicnn.tensor(x.numpy() * 2), "depend on its input"),
        (lambda m, x: x + 1 if len(x) > 2 else x - 1, "other steps for other inputs"),
        (lambda m, x: F.dropout(x, 0.5, training=True), "dropout"),
        (lambda m, x: F.batch_norm(x, None, None, training=True), "statistics are those of the batch"),
        (lambda m, x: F.adaptive_max_pool2d(x, 2, return_indices=True)[1].float(), "outputs of AdaptiveMaxPool2d"),
        (lambda m, x: minicnn.special.i0(x), "no ONNX is written for I0"),
        (lambda m, x: x.var(0), "a variance over the batch"),
    ],
)
def test_what_a_file_cannot_hold_is_refused(function, words):
    rng = np.random.default_rng(1)
    with pytest.raises(ExportError, match=words):
        minicnn.onnx.export(
            Functions(function), minicnn.from_numpy(rng.standard_normal((2, 6, 4, 4)).astype(np.float32) + 0.5)
        )


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: x * (x > 0), lambda m, x: x * (x < 50), lambda m, x: x + (x == x.round()),
        lambda m, x: x + x.isnan(), lambda m, x: x.masked_fill((x > 60).any(1, keepdim=True), 7.0),
    ],
)  # fmt: skip
def test_what_is_alike_for_both_runs_is_no_constant(function):
    """A mask that is the same for the example and for other numbers still depends on the input."""
    model = Functions(function)
    file = minicnn.onnx.export(model, minicnn.ones(2, 6, 4, 4)).SerializeToString()
    x = np.random.default_rng(0).integers(-99, 99, (3, 6, 4, 4)).astype(np.float32)
    x[0, 0, 0, 0] = np.nan
    np.testing.assert_array_equal(answers(file, x)[0], model(minicnn.from_numpy(x)).numpy())
    np.testing.assert_array_equal(minicnn.onnx.load(file)(minicnn.from_numpy(x)).numpy(), answers(file, x)[0])


@pytest.mark.parametrize("widths", [(2, -1), (-1, 2)])
def test_circular_padding_of_what_was_cut_off(widths):
    """Right, or refused: a place that is nowhere is not the last one."""
    try:
        agree(Functions(lambda m, x: F.pad(x, (*widths, 0, 0), mode="circular")), IMAGES)
    except ExportError as error:
        assert "cut off" in str(error)  # noqa: PT017


def changed(*statements):
    """A function that makes y of x, executes statements and returns y."""

    def function(m, x):
        y = x + 1
        exec("\n".join(statements), {"x": x, "y": y, "minicnn": minicnn, "F": F})
        return y

    return function


@pytest.mark.parametrize(
    "statements",
    [
        ("y[:, 0] = 0",), ("y[:, 1:3] = x[:, :2]",), ("y[..., ::2] = 1",), ("y[:, -1, 1:, 2] = x[:, 0, :8, 1]",),
        ("y[:] = x * 2",), ("y[:, None, 2] = x[:, None, 3]",), ("y[:, 2:2] = 5",), ("y[:, 1:3] = minicnn.arange(8.0)",),
        ("y[:, [0, 2]] = x[:, [1, 3]] * 2",), ("y[:, [1, 1]] = 3",), ("y[y < 0.5] = 0",), ("y[y.sum((2, 3)) < 0] = 7",),
        ("y.index_fill_(1, minicnn.tensor([1, 3]), 2.0)",), ("y.index_add_(1, minicnn.tensor([1, 1]), x[:, :2])",),
        ("y.index_copy_(2, minicnn.tensor([3, 0]), x[:, :, :2])",), ("y.fill_(2.0)", "y.zero_()"),
        ("y[:, 0] = x[:, 1]", "y[:, 1] = y[:, 0]"), ("y[:, 0].mul_(3)",), ("y[:, 2] += 1", "y[:, 2] *= 2"),
        ("a, b = y[:, 0], y[:, 1]", "a.mul_(2)", "b.mul_(3)", "a.add_(b)"), ("y.view(-1).mul_(2)",),
        ("y.permute(0, 3, 1, 2)[:, 1].sub_(4)",), ("y.unsqueeze(1)[:, 0, 2:].exp_()",),
        ("y[:, 1:][:, 1:].neg_()", "y += 1"),
        ("z = y[:, 1:]", "y[:, 2].mul_(2)", "y.add_(z.sum())"), ("z = y[:, 1:]", "y.mul_(2)", "z.add_(1)"),
        ("z = y.detach()", "y.mul_(2)", "z.add_(1)"), ("z = y[:, 1]", "y[:, 1] = z * 2", "z -= 1"),
        ("z = y[:, 1]", "z.mul_(2)", "y[:, 0] = z", "z.add_(1)"), ("F.relu(y[:, :3], inplace=True)",),
        ("F.hardswish(y[:, :3], inplace=True)", "y.lerp_(x, 0.3)", "y.addcmul_(x, x)", "F.selu(y, inplace=True)"),
        ("minicnn.add(x, x, out=y)", "y[:, 1] = 0"), ("y[:, 1] = y[:, 2].exp_()", "y.abs_()"),
        ("y[0] = 1",), ("y[-1:] = x[:1]",), ("y[0, 1:, 2] = x[0, 1:, 3]",), ("y[:, ::8] = 5",), ("y[:, 1:1] = 5",),
        ("y[:, [0, 1], [2, 3]] = 7",), ("y[:, [0, 1], :, [2, 3]] = x[:1, :2].sum(3)[0][:, None]",),
        ("y[0, 2, -1, 3] = 4",), ("y[:, minicnn.tensor([0, 1]), minicnn.tensor([[2], [3]])] = x[:, :2, :2]",),
        ("y.scatter_reduce_(1, minicnn.tensor([2]).expand(*x[:, :1].shape), x[:, :1], 'amax')",),
        ("y.scatter_reduce_(1, minicnn.tensor([2]).expand(*x[:, :1].shape), x, 'sum', include_self=False)",),
        ("y.gt_(x + 1.5)", "y[:, 1].le_(0.5)", "y *= 2"),
        ("y.copy_(x)", "y[:, 3].clamp_(0)"), ("y.transpose(2, 3).copy_(x.transpose(2, 3))",),
    ],
)  # fmt: skip
def test_assignments_and_changes_of_views(statements):
    agree(Functions(changed(*statements)), IMAGES)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: x[:, [0, 2], [1, 3]], lambda m, x: x[:, [0, 2], :, [[1], [3]]], lambda m, x: x[[0, -1], [1, 3]],
        lambda m, x: x[:, :, x.argmax(2)[:, 0, 0], [1]], lambda m, x: x.take(minicnn.tensor([3, -1])),
        lambda m, x: x.unfold(2, 3, 2), lambda m, x: x.unfold(1, 6, 1).unfold(3, 2, 3),
        lambda m, x: x.diagonal(0, 2, 3), lambda m, x: x.diagonal(-2, 3, 1), lambda m, x: minicnn.diag_embed(x),
        lambda m, x: minicnn.diag_embed(x, -1, 0, 2),
        lambda m, x: minicnn.block_diag(x[0, 0], x[0, 1, :2], x[0, 2, :, :1]), lambda m, x: x.diagonal(1, 2, 3).sum(-1),
    ],
)  # fmt: skip
def test_places(function):
    agree(Functions(function), IMAGES)


@pytest.mark.parametrize(
    "function",
    [
        lambda m, x: x[:, :, x.argmax(2)[0, 0, 0]], lambda m, x: x[:, : int(x.max() > 9) + 2],
        lambda m, x: x + 1 if x.sum() < 1e9 else x, lambda m, x: x + x.round().min().item() * 0,
    ],
)  # fmt: skip
def test_numbers_that_are_read_are_told(function):
    x = minicnn.arange(0, 864.0).reshape(2, 6, 9, 8)
    with pytest.warns(UserWarning, match="makes a Python number"), contextlib.suppress(ExportError):
        minicnn.onnx.export(Functions(function), x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        minicnn.onnx.export(Functions(lambda m, x: x[:, int(minicnn.tensor(1))] * float(m.weight[0])), x)


def test_nothing_can_be_rolled():
    agree(Functions(lambda m, x: x[:, 2:2].roll((-1, 7), (-1, -1)).sum(1)), IMAGES)


def test_what_is_filled_after_it_was_made():
    def shifted(m, x):
        y = minicnn.zeros_like(x)
        y[:, :-1] = x[:, 1:]
        table = minicnn.zeros(x.shape[0], 9, *x.shape[2:])
        table[:, :4] = x[:, :4]
        table[:, 4:] -= 1
        return y.sum(1) + table.sum(1)

    agree(Functions(shifted), IMAGES)


def test_parameters_that_a_model_changes_are_written_as_they_were():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(minicnn.ones(3))
            self.steps = nn.Parameter(minicnn.zeros(3))

        def forward(self, x):
            y = x * self.scale + self.steps
            self.steps[1:].add_(1)
            return y + self.steps

    model, x = Counting(), minicnn.randn(2, 3)
    file = minicnn.onnx.export(model, x).SerializeToString()
    np.testing.assert_allclose(answers(file, x.numpy())[0], x.numpy() + np.array([0, 1, 1]), rtol=1e-6)


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (("y[::2] = 1",), "no multiple of it"),
        (("y[1:2] = 1",), "some batches don't have"),
        (("y[1] = 1",), "some batches don't have"),
        (("y[x < 0] = x[x < 0]",), "mask|depends on the input"),
        (("y.diagonal(0, 2, 3).mul_(2)",), "ONNX has no views"),
        (("y.add_(y[:, 1:2])",), "ONNX has no views"),
        (("z = y.expand(3, *y.shape)", "y.mul_(2)", "y.add_(z[0])"), "ONNX has no views"),
        (("y.numpy()[0] = 3", "y.add_(1)"), "by NumPy"),
    ],
)
def test_changes_that_a_file_cannot_follow_are_refused(statements, words):
    with pytest.raises(ExportError, match=words):
        minicnn.onnx.export(Functions(changed(*statements)), minicnn.randn(IMAGES))


def test_arguments_are_checked(tmp_path):
    model, x = nn.Linear(3, 2), minicnn.randn(2, 3)
    with pytest.raises(TypeError, match="needs a Tensor"):
        minicnn.onnx.export(model, x.numpy())
    with pytest.raises(ValueError, match="input_names needs 1"):
        minicnn.onnx.export(model, x, input_names=["a", "b"])
    with pytest.raises(ValueError, match="dynamic_axes"):
        minicnn.onnx.export(model, x, dynamic_axes={"input": {1: "features"}})
    fixed = minicnn.onnx.export(model, x, dynamic_axes={})
    assert [d.dim_value for d in fixed.graph.input[0].type.tensor_type.shape.dim] == [2, 3]
    path = tmp_path / "deep" / "model.onnx"
    with pytest.raises(OSError, match=r"model\.onnx"):
        minicnn.onnx.export(model, x, path)
    minicnn.onnx.export(model, x, tmp_path / "model.onnx", opset_version=20)
    assert onnx.load(tmp_path / "model.onnx").opset_import[0].version == 20
    assert model.training


def test_files_that_are_none_are_refused(tmp_path):
    path = tmp_path / "model.onnx"
    minicnn.onnx.export(nn.Linear(3, 2), minicnn.randn(2, 3), path)
    whole = path.read_bytes()
    for damaged in (b"", b"hello", whole[: len(whole) // 2], b"\xff" * 100):
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match="no valid ONNX model"):
            minicnn.onnx.load(path)
    with pytest.raises(OSError, match=r"nothing\.onnx"):
        minicnn.onnx.load(tmp_path / "nothing.onnx")
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [2]) for n in "xy")
    graph = helper.make_graph([helper.make_node("Unique", ["x"], ["y"])], "g", [x], [y])
    with pytest.raises(NotImplementedError, match="Unique"):
        minicnn.onnx.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]).SerializeToString())
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "g", [x], [y])
    with pytest.raises(ValueError, match="operator set 9"):
        minicnn.onnx.load(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 9)]).SerializeToString())


def test_without_the_package_one_sentence_says_what_installs_it(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("minicnn.onnx")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModuleNotFoundError, match=r'pip install "minicnn\[onnx\]"'):
        importlib.import_module("minicnn.onnx")


REFUSED = (NotImplementedError, ValueError, IndexError, AttributeError)
"""What minicnn can't do is refused; `ValueError` covers its errors about shapes and dtypes."""


@pytest.mark.slow
def test_the_examples_of_the_operators_give_what_they_say():
    """Every example that ships with ONNX of an operation that is read: right, or refused, and most are right."""
    right, refused = 0, []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        cases = load_model_tests(kind="node")
    for case in cases:
        nodes = case.model.graph.node
        if any(node.domain or node.op_type not in NODES for node in nodes):
            continue
        for inputs, outputs in case.data_sets or []:
            if any(isinstance(one, list) for one in (*inputs, *outputs)):  # sequences
                continue
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    model = minicnn.onnx.load(case.model.SerializeToString())
                    results = model(*[minicnn.from_numpy(np.array(one, order="C")) for one in inputs])
            except (*REFUSED, TypeError) as error:
                refused.append((case.name, error))
                continue
            results = results if isinstance(results, tuple) else (results,)
            for result, expected in zip(results, outputs, strict=True):
                array = result.detach().numpy()
                assert (array.dtype, array.shape) == (expected.dtype, expected.shape), case.name
                rounded = case.name.endswith("starts_on_pad") or "bicubic" in case.name  # to four digits
                rtol, atol = (1e-3, 1e-4) if rounded else (1e-5, 1e-6)
                if expected.dtype == np.float16:
                    rtol, atol = 1e-3, 1e-3 * float(np.max(np.abs(expected[np.isfinite(expected)]), initial=0))
                np.testing.assert_allclose(array, expected, rtol=rtol, atol=atol, err_msg=case.name)
            right += 1
    assert right > 1100, refused


def test_models_of_pytorch_are_read(tmp_path):
    model = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3, padding=1), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.MaxPool2d(2),
        torch.nn.Flatten(), torch.nn.Linear(64, 5), torch.nn.Softmax(1),
    ).eval()  # fmt: skip
    x, path = torch.randn(2, 3, 8, 8), tmp_path / "model.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            model, x, str(path), dynamo=False, dynamic_axes={"input": {0: "batch"}}, input_names=["input"]
        )
    read = minicnn.onnx.load(path)
    x = torch.randn(5, 3, 8, 8)
    np.testing.assert_allclose(
        read(minicnn.from_numpy(x.numpy())).detach().numpy(), model(x).detach().numpy(), atol=1e-6
    )


def test_random_programs_are_exported_right_or_refused():
    """The same ones every time: others may differ by a tie that a rounding error decides."""
    counts, refusals = Counter(), Counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for seed in range(2209, 2259):
            assert compared(seed, counts, refusals) is None
    assert counts["programs"] > 30
    assert refusals


@given(st.data())
def test_damaged_bytes_are_refused_or_computed(data):
    """Never an error of a reader's own: no valid model, an operation that is missing, or what operations say."""
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(32, 3)).eval()
    x = minicnn.zeros(2, 1, 6, 6)
    file = bytearray(minicnn.onnx.export(model, x).SerializeToString())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(file) - 1))
        file[place : place + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    with contextlib.suppress(ValueError, NotImplementedError):
        read = minicnn.onnx.load(bytes(file))
        with contextlib.suppress(TypeError, IndexError, RuntimeError), np.errstate(all="ignore"):
            read(x)
