"""Memory shared with other libraries without a copy: DLPack, both ways, and NumPy's protocols."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import minicnn
from minicnn import cli
from minicnn.testing.arrays import lay_out
from minicnn.testing.cases import layouts
from minicnn.utils.dlpack import to_dlpack

DTYPES = ["float32", "float64", "int64", "int32", "int16", "int8", "uint8", "bool"]


@st.composite
def arrays(draw):
    shape = draw(st.lists(st.sampled_from([0, 1, 2, 5]), max_size=4))
    return np.arange(np.prod(shape), dtype=np.int64).reshape(shape).astype(draw(st.sampled_from(DTYPES)))


class Interface:
    """An array of a library that knows NumPy's protocol alone."""

    def __init__(self, array):
        self.array = array
        self.__array_interface__ = array.__array_interface__


@given(arrays(), layouts())
def test_torch_reads_our_memory_and_we_read_torchs(array, layout):
    laid = lay_out(array.copy(), layout)
    if min(laid.strides, default=0) >= 0:  # PyTorch has no negative strides
        theirs = torch.from_dlpack(minicnn.from_numpy(laid))
        assert tuple(theirs.shape) == laid.shape
        assert np.shares_memory(theirs.numpy(), laid) == (laid.size > 0)
        np.testing.assert_array_equal(theirs.numpy(), laid)
    source = torch.from_numpy(array.copy())
    ours = minicnn.from_dlpack(source)
    assert str(ours.dtype) == str(source.dtype)
    assert tuple(ours.shape) == tuple(source.shape)
    assert ours.data_ptr() == source.data_ptr() or not source.numel()
    ours.fill_(1)
    np.testing.assert_array_equal(ours.numpy(), source.numpy())


@given(arrays(), layouts())
def test_what_has_numpys_protocol_is_an_array(array, layout):
    laid = lay_out(array.copy(), layout)
    tensor = minicnn.as_tensor(Interface(laid))
    np.testing.assert_array_equal(tensor.numpy(), laid)
    back = np.asarray(tensor)
    assert back.dtype == laid.dtype
    assert back.shape == laid.shape
    assert not laid.size or np.shares_memory(back, laid)


def test_a_capsule_is_used_once():
    x = minicnn.arange(6.0).reshape(2, 3)
    capsule = to_dlpack(x)
    y = minicnn.from_dlpack(capsule)
    y[0, 0] = 7
    assert x[0, 0] == 7
    with pytest.raises(RuntimeError, match="invalid capsule"):
        minicnn.from_dlpack(capsule)
    assert minicnn.from_dlpack(torch.utils.dlpack.to_dlpack(torch.ones(3))).tolist() == [1, 1, 1]
    assert torch.utils.dlpack.from_dlpack(to_dlpack(x)).tolist() == x.tolist()


PROGRAM = """
import numpy as np
import torch
from torch.utils.dlpack import from_dlpack

array = np.zeros(3, np.float32)
from_dlpack(array).add_(1)
torch.utils.dlpack.from_dlpack(array).add_(1)
torch.from_dlpack(array).add_(1)
print(array.tolist())
"""


def test_programs_for_torch_find_it(tmp_path):
    (tmp_path / "program.py").write_text(PROGRAM)
    ran = CliRunner().invoke(cli.app, ["run", str(tmp_path / "program.py")])
    assert ran.stdout == "[3.0, 3.0, 3.0]\n"


def test_a_write_through_a_view_is_seen_on_the_other_side():
    x = minicnn.zeros(2, 3, 4, 4).to(memory_format=minicnn.channels_last)
    theirs = torch.from_dlpack(x)
    x[1].mul_(0).add_(5)
    assert theirs.stride() == x.stride()
    assert theirs.sum() == 5 * 48


def test_a_copy_is_asked_for():
    source = torch.zeros(3)
    minicnn.from_dlpack(source, copy=True).add_(1)
    assert source.sum() == 0


def test_memory_outlives_its_owner():
    y = minicnn.from_dlpack(torch.full((100_000,), 3.0))
    z = torch.from_dlpack(minicnn.full((100_000,), 4.0))
    minicnn.rand(100_000), torch.rand(100_000)
    assert y.sum() == 300_000
    assert z.sum() == 400_000


def test_memory_outlives_a_tensor_that_took_other_memory():
    x = minicnn.full((300_000,), 3.0)
    arrays = [np.asarray(x), np.from_dlpack(x), torch.from_dlpack(x)]
    x.data = minicnn.ones(3)
    minicnn.full((300_000,), 7.0).add_(1)
    assert [float(array.sum()) for array in arrays] == [900_000] * 3


def test_what_gives_no_memory_away_says_so():
    leaf = minicnn.ones(2, requires_grad=True)
    for act in (
        leaf.__dlpack__,
        lambda: torch.from_dlpack(leaf),
        lambda: minicnn.from_dlpack(torch.ones(2).requires_grad_()),
    ):
        with pytest.raises(BufferError, match=r"use tensor\.detach"):
            act()
    with pytest.raises(RuntimeError, match="detach"):
        np.asarray(leaf)
    with pytest.raises(AssertionError, match="stream"):
        minicnn.ones(2).__dlpack__(stream=1)
    with pytest.raises(RuntimeError, match="got int"):
        minicnn.from_dlpack(3)
    with pytest.raises(TypeError, match="complex64"):
        minicnn.from_dlpack(torch.ones(2, dtype=torch.complex64))
    with pytest.raises(RuntimeError, match="dtype"):
        minicnn.from_dlpack(torch.ones(2, dtype=torch.bfloat16))
    with pytest.raises(RuntimeError, match="cuda"):
        minicnn.from_dlpack(torch.ones(2), device="cuda")
