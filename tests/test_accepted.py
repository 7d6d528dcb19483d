"""Small modules under torch's names: requests for what is always so, and refusals in a sentence, as without a GPU."""

import importlib
import warnings

import numpy as np
import pytest
import torch
import torchvision
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import minicnn
from minicnn import io, models, nn, switches
from minicnn.nn import tuples


@pytest.fixture
def model():
    return nn.Linear(2, 3)


def test_flags_keep_what_they_are_set_to():
    cudnn = minicnn.backends.cudnn
    before = {name: getattr(cudnn, name) for name in ("enabled", "benchmark", "deterministic", "allow_tf32")}
    with cudnn.flags(enabled=False, benchmark=True, deterministic=True):
        assert (cudnn.enabled, cudnn.benchmark, cudnn.deterministic) == (False, True, True)
    assert {name: getattr(cudnn, name) for name in before} == before
    assert not cudnn.is_available()
    assert cudnn.version() is None
    assert not minicnn.backends.mps.is_available()
    assert not minicnn.backends.mps.is_built()
    assert not minicnn.backends.cuda.is_built()
    minicnn.backends.cuda.matmul.allow_tf32 = False


def test_there_is_no_gpu():
    cuda = minicnn.cuda
    assert (cuda.is_available(), cuda.device_count(), cuda.is_initialized(), cuda.is_bf16_supported()) == (
        *(False, 0, False),
        False,
    )
    for seed in (cuda.manual_seed, cuda.manual_seed_all):
        assert seed(3) is None
    for tidy in (cuda.empty_cache, cuda.synchronize, cuda.reset_peak_memory_stats, cuda.seed, cuda.seed_all):
        assert tidy() is None
    assert cuda.memory_allocated() == cuda.max_memory_allocated() == cuda.memory_reserved() == 0
    for name in ("get_device_name", "Stream", "current_device", "FloatTensor"):
        with pytest.raises(RuntimeError, match=f"torch.cuda.{name} needs a GPU"):
            getattr(cuda, name)(0)
    accelerator = minicnn.accelerator
    assert not accelerator.is_available()
    assert (accelerator.device_count(), accelerator.current_accelerator()) == (0, None)
    assert accelerator.synchronize() is None
    assert minicnn.version.cuda is None


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("library", [minicnn, torch])
def test_mixed_precision_on_a_gpu_is_switched_off(library):
    x, weight = library.ones(2, 3), library.ones(3, 2, requires_grad=True)
    for block in (
        lambda: library.amp.autocast("cuda"),
        lambda: library.autocast("cuda", dtype=library.float16),
        lambda: library.autocast(device_type="cuda"),
        lambda: library.cuda.amp.autocast(),
        lambda: library.cuda.amp.autocast(True),
    ):
        if torch.cuda.is_available():
            pytest.skip("here is a GPU")
        with pytest.warns(UserWarning, match="Disabling"):
            block = block()
        with block:
            assert x.matmul(weight).dtype == library.float32
        assert block(lambda: x.matmul(weight).dtype)() == library.float32
    for scaler in (library.amp.GradScaler, library.cuda.amp.GradScaler):
        with pytest.warns(UserWarning, match="Disabling"):
            scaler = scaler()
        optimizer = library.optim.SGD([weight], lr=0.5)
        scaler.scale(x.matmul(weight).sum()).backward()
        scaler.unscale_(optimizer)
        before = weight.detach().clone()
        scaler.step(optimizer)
        scaler.update()
        assert not library.equal(weight.detach(), before)
        assert (scaler.is_enabled(), scaler.get_scale(), scaler.state_dict()) == (False, 1.0, {})
        scaler.load_state_dict({})


def test_mixed_precision_on_the_cpu_is_refused_unless_it_is_off():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with minicnn.autocast("cpu", enabled=False), minicnn.amp.autocast("cuda", enabled=False):
            assert minicnn.ones(2).dtype == minicnn.float32
        minicnn.cuda.amp.GradScaler(enabled=False)
        minicnn.amp.GradScaler("cpu", enabled=False)
    with pytest.raises(RuntimeError, match="no mixed precision"):
        minicnn.autocast("cpu")
    with pytest.raises(RuntimeError, match="no mixed precision"):
        minicnn.amp.GradScaler("cpu")
    with pytest.raises(RuntimeError, match="'xpu9'"):
        minicnn.autocast("xpu9")
    with pytest.raises(ValueError, match="device_type"):
        minicnn.autocast(minicnn.device("cpu"))


def test_compile_returns_the_model(model):
    assert minicnn.compile(model) is model
    assert minicnn.compile(model, mode="max-autotune", fullgraph=True, backend="inductor") is model

    @minicnn.compile
    def once(x):
        return x

    @minicnn.compile(dynamic=True, options={"trace": True})
    def twice(x):
        return 2 * x

    assert (once(3), twice(3)) == (3, 6)
    with pytest.raises(RuntimeError, match="mode or options"):
        minicnn.compile(model, mode="default", options={})
    with pytest.raises(TypeError, match="got int"):
        minicnn.compile(3)


@pytest.mark.parametrize("library", [minicnn, torch])
def test_switches_are_read_again(library):
    threads = library.get_num_interop_threads()
    try:
        library.use_deterministic_algorithms(True, warn_only=True)
        assert library.are_deterministic_algorithms_enabled()
        assert library.is_deterministic_algorithms_warn_only_enabled()
        for precision in ("high", "medium", "highest"):
            library.set_float32_matmul_precision(precision)
            assert library.get_float32_matmul_precision() == precision
    finally:
        library.use_deterministic_algorithms(False)
    assert threads >= 1


def test_switches_check_what_they_are_told():
    with pytest.raises(RuntimeError, match="'exact'"):
        minicnn.set_float32_matmul_precision("exact")
    with pytest.raises(RuntimeError, match="positive"):
        minicnn.set_num_interop_threads(0)
    minicnn.set_num_interop_threads(2)
    assert minicnn.get_num_interop_threads() == 2


@pytest.mark.parametrize("library", [minicnn, torch])
def test_data_parallel_is_the_module(library):
    inner = library.nn.Linear(2, 3)
    outer = library.nn.DataParallel(inner)
    x = library.ones(4, 2)
    assert outer.module is inner
    assert library.equal(outer(x), inner(x))
    assert [*outer.state_dict()] == ["module.weight", "module.bias"]
    assert repr(outer).splitlines()[0] == "DataParallel("
    assert outer.device_ids == []


def test_data_parallel_as_a_function():
    inner, x = nn.Linear(2, 3), minicnn.ones(4, 2)
    assert minicnn.equal(nn.parallel.data_parallel(inner, x, range(2)), inner(x))


@pytest.mark.parametrize("name", sorted(minicnn.of_methods.NAMES))
def test_methods_that_are_functions(name):
    shapes = {"addmv_": [(2, 3), (3,)], "is_same_size": [(2,)], "clamp_": 0.3, "clip_": 0.3, "fill_": 0.3}
    others = shapes.get(name)
    found = []
    for library in (minicnn, torch):
        integers = name in ("gcd_", "lcm_", "index_put_")
        x = library.tensor([6, 4]) if integers else library.tensor([1.25, 1.5]) - 0.5 * ("sin" in name or "cos" in name)
        arguments = [library.ones(*shape) for shape in others] if isinstance(others, list) else []
        arguments += [others] if isinstance(others, float) else []
        if name in ("gcd_", "lcm_", "ldexp_", "xlogy_"):
            arguments = [library.tensor([4, 6])]
        if name in ("clamp_max_", "clamp_min_"):
            arguments = [1.3]
        if name == "index_put_":
            arguments = [(library.tensor([0]),), library.tensor([9])]
        result = getattr(library, name)(x, *arguments)
        assert not name.endswith("_") or result is x
        found.append(result.tolist() if isinstance(result, library.Tensor) else result)
    np.testing.assert_allclose(*found, rtol=1e-6)
    with pytest.raises(TypeError, match="must be Tensor"):
        getattr(minicnn, name)([1.0])


def test_a_device_is_a_block():
    for library in (minicnn, torch):
        with library.device("cpu") as device:
            assert library.ones(2).device == device
        assert library.device(type="cpu") == library.device("cpu")


def test_the_default_device_is_the_cpu():
    minicnn.set_default_device("cpu")
    minicnn.set_default_device(None)
    assert str(minicnn.get_default_device()) == "cpu"
    with pytest.raises(RuntimeError, match="cuda"):
        minicnn.set_default_device("cuda")
    assert not minicnn.xpu.is_available()
    assert minicnn.mps.device_count() == 0
    assert (minicnn.pi, minicnn.inf, minicnn.newaxis) == (torch.pi, torch.inf, torch.newaxis)


def test_multiprocessing_is_pythons():
    import multiprocessing

    assert minicnn.multiprocessing.Process is multiprocessing.Process
    assert callable(minicnn.multiprocessing.set_start_method)


@pytest.mark.parametrize("library", [minicnn, torch])
def test_variables_are_tensors(library):
    Variable = library.autograd.Variable
    x = library.ones(2, requires_grad=True)
    y = x * 2
    v = Variable(y, requires_grad=True)
    assert type(v) is library.Tensor
    assert v.grad_fn is None
    assert v.requires_grad
    assert isinstance(x, Variable)
    assert not Variable(x).requires_grad
    v.data[0] = 7
    assert y.tolist() == [7, 2]
    with pytest.warns(UserWarning, match="volatile"):
        assert Variable(library.ones(2), volatile=True).tolist() == [1, 1]
    assert Variable().shape == (0,)
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got list"):
        Variable([1.0])
    with pytest.raises(RuntimeError, match="floating"):
        Variable(library.tensor(1), requires_grad=True)


@given(
    value=st.one_of(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=4)), name=st.sampled_from(tuples.__all__)
)
def test_tuples(value, name):
    ours, theirs = getattr(tuples, name), getattr(torch.nn.modules.utils, name)
    assert (ours(3)(value) if name == "_ntuple" else ours(value)) == (
        theirs(3)(value) if name == "_ntuple" else theirs(value)
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Palette:UserWarning")
@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "1", "P"])
@pytest.mark.parametrize("wanted", ["UNCHANGED", "GRAY", "RGB"])
@pytest.mark.parametrize("suffix", ["png", "jpeg"])
def test_read_image(tmp_path, mode, wanted, suffix):
    path = tmp_path / f"picture.{suffix}"
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, 4), np.uint8)
    picture = Image.fromarray(pixels).convert(mode)
    if suffix == "jpeg" and mode not in ("L", "RGB"):
        pytest.skip("JPEG has no such pictures")
    picture.save(path)
    ours = io.read_image(str(path), io.ImageReadMode[wanted])
    theirs = torchvision.io.read_image(str(path), torchvision.io.ImageReadMode[wanted])
    if mode == "1" and wanted != "UNCHANGED":
        assert ours.shape[1:] == theirs.shape[1:]
        return
    assert ours.dtype == minicnn.uint8
    assert tuple(ours.shape) == tuple(theirs.shape)
    off = np.abs(ours.numpy().astype(int) - theirs.numpy())
    assert off.max() <= (1 if wanted == "GRAY" or suffix == "jpeg" else 0)  # grey values are rounded otherwise


def test_pictures_are_written(tmp_path):
    for channels in (1, 3):
        pixels = minicnn.randint(0, 256, (channels, 4, 6), dtype=minicnn.uint8)
        io.write_png(pixels, tmp_path / "a.png")
        assert minicnn.equal(io.read_image(tmp_path / "a.png"), pixels)
        io.write_jpeg(pixels, str(tmp_path / "a.jpg"), quality=95)
        assert io.read_image(str(tmp_path / "a.jpg"), "RGB").shape == (3, 4, 6)
    with pytest.raises(RuntimeError, match=r"\(4, 4, 6\)"):
        io.write_png(minicnn.zeros(4, 4, 6, dtype=minicnn.uint8), tmp_path / "b.png")
    with pytest.raises(RuntimeError, match="No such file"):
        io.read_image(tmp_path / "nowhere.png")
    (tmp_path / "text.png").write_text("no picture")
    with pytest.raises(RuntimeError, match="no picture"):
        io.read_image(tmp_path / "text.png")


def test_a_summary_is_written(tmp_path):
    from minicnn.utils.tensorboard import SummaryWriter

    with SummaryWriter(log_dir=str(tmp_path)) as writer:
        writer.add_scalar("loss", minicnn.tensor(0.5, requires_grad=True), 1)
        writer.add_scalars("both", {"train": minicnn.tensor(1.0), "test": 2.0}, 1)
        writer.add_histogram("weights", nn.Linear(3, 4).weight, 1)
        writer.add_image("picture", minicnn.rand(3, 4, 4), 1)
        writer.add_images("pictures", minicnn.rand(2, 3, 4, 4))
        writer.add_text("note", "text")
        with pytest.raises(RuntimeError, match="tracing"):
            writer.add_graph(nn.Linear(2, 2), minicnn.ones(1, 2))
    assert sum(path.stat().st_size for path in tmp_path.rglob("*events*")) > 500


@pytest.mark.filterwarnings("ignore:.*deprecated since 0.13")
def test_networks_come_untrained():
    assert isinstance(models.resnet18(num_classes=3, weights=None, progress=False), nn.Module)
    for arguments, named in (((False,), {"progress": False}), ((), {"pretrained": False})):
        with pytest.warns(UserWarning, match="deprecated since 0.13") as expected:
            torchvision.models.resnet18(*arguments, num_classes=3, **named)
        with pytest.warns(UserWarning, match="deprecated since 0.13") as found:
            assert isinstance(models.resnet18(*arguments, num_classes=3, **named), nn.Module)
        assert str(found[0].message) == str(expected[0].message)
        assert found[0].filename == __file__
    for name in ("resnet18", "resnet50", "vgg11", "vgg16_bn", "alexnet"):
        for arguments, named in (((), {"weights": "DEFAULT"}), ((True,), {}), ((), {"pretrained": True})):
            with pytest.raises(RuntimeError, match="no trained weights"):
                getattr(models, name)(*arguments, **named)


@pytest.mark.parametrize("library", [minicnn, torch])
def test_methods_that_are_marked_for_a_compiler_run_as_they_are_written(library):
    jit = importlib.import_module(f"{library.__name__}.jit")

    class Network(library.nn.Module):
        @jit._overload_method
        def forward(self, x):
            pass

        @jit.export
        def forward(self, x):  # noqa: F811
            return (
                self.twice(self.ignored(self.dropped(x))) if not jit.is_scripting() and not jit.is_tracing() else None
            )

        @jit.unused
        def twice(self, x):
            return 2 * x

        @jit.ignore
        def ignored(self, x):
            return x + 1

        @jit.ignore(drop=False)
        def dropped(self, x):
            return x - 3

    assert Network()(library.ones(2)).tolist() == [-2.0, -2.0]


@pytest.mark.parametrize(("check", "ones"), [(switches._assert, minicnn.ones), (torch._assert, torch.ones)])
def test_a_function_that_asserts(check, ones):
    assert check(True, "fits") is None
    with pytest.raises(AssertionError, match="too small"):
        check(ones(()) > 2, "too small")
