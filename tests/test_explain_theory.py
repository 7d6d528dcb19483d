"""`minicnn explain entropy` and `sizes`: values beside PyTorch, printed formulas that hold, totals of the summary."""

import io
import math
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from explained import FEW
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from test_cli import fails, run

from minicnn import explain
from minicnn.explain.terminal.printing import in_ascii
from minicnn.models import INPUT_SIZES, MODELS
from minicnn.summary import summary


def written(thing, width=80, encoding="utf-8"):
    """What `print` writes, without colours."""
    raw = io.BytesIO()
    file = io.TextIOWrapper(raw, encoding=encoding)
    thing.print(Console(file=file, width=width, color_system=None))
    file.flush()
    return raw.getvalue().decode(encoding)


@st.composite
def distributions(draw, K):
    """Probabilities, some of them 0."""
    counts = draw(st.lists(st.integers(0, 9), min_size=K, max_size=K).filter(any))
    return np.array(counts) / sum(counts)


@st.composite
def pairs(draw):
    K = draw(st.integers(1, 7))
    return draw(distributions(K)), draw(distributions(K))


@given(pairs())
def test_entropies_are_what_pytorch_says(pair):
    p, q = map(torch.tensor, pair)
    e = explain.entropy(*pair)
    possible = not (p[q == 0] > 0).any()
    kl = F.kl_div(q.log()[q > 0], p[q > 0], reduction="sum").item() if possible else math.inf
    assert e.entropy() == pytest.approx(torch.special.entr(p).sum().item(), abs=1e-12)
    assert e.divergence() == pytest.approx(kl, abs=1e-12)
    assert e.cross_entropy() == pytest.approx(kl + e.entropy(), abs=1e-12)
    assert e.reverse_divergence() == pytest.approx(explain.entropy(pair[1], pair[0]).divergence(), abs=1e-12)
    assert e.divergence() >= -1e-12


@given(st.lists(st.floats(-200, 200, width=32), min_size=1, max_size=6), st.data())
def test_scores_are_treated_as_pytorch_does(logits, data):
    p = data.draw(distributions(len(logits)))
    e = explain.entropy(p, logits=logits)
    x = torch.tensor(logits, dtype=torch.float64)
    assert e.cross_entropy() == pytest.approx(
        F.cross_entropy(x[None], torch.tensor(p)[None]).item(), rel=1e-12, abs=1e-12
    )
    x = x.float().requires_grad_()
    np.testing.assert_allclose(e.log_softmax(), F.log_softmax(x, 0).detach(), rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(e.softmax(), F.softmax(x, 0).detach(), rtol=1e-4, atol=1e-37)
    loss = F.cross_entropy(x, torch.tensor(int(x.argmin())))
    loss.backward()
    ours, gradient = e.together()
    assert ours == pytest.approx(loss.item(), rel=1e-6, abs=1e-6)
    np.testing.assert_allclose(gradient, x.grad, rtol=1e-4, atol=1e-6)
    assert np.isfinite(gradient).all()


def test_what_overflows_is_shown():
    e = explain.entropy()
    assert np.isinf(e.powers()[0])
    assert np.isnan(e.quotients()[0])
    assert e.log_of_softmax()[2] == -np.inf
    assert e.log_softmax().tolist() == [0, -100, -200]
    assert e.apart()[0] == np.inf
    assert np.isnan(e.apart()[1]).all()
    assert e.together()[0] == 200


@FEW
@given(pairs(), st.sampled_from([60, 80, 120]), st.sampled_from(["ascii", "utf-8"]))
def test_the_text_has_the_numbers(pair, width, encoding):
    e = explain.entropy(*pair)
    text = written(e, width, encoding)
    assert max(map(len, text.splitlines())) <= max(width, 80)
    assert f"= {e.entropy():.4g} nats" in " ".join(text.split()) or e.entropy() == 0
    assert "?" not in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p": [0.5, 0.4]}, "p must add up to 1"),
        ({"p": [1.5, -0.5]}, "p must not be negative"),
        ({"p": []}, r"must have shape \(K,\)"),
        ({"p": [[1.0]]}, r"must have shape \(K,\)"),
        ({"p": [1.0], "q": [0.5, 0.5]}, "p has 1 and q has 2 classes"),
        ({"q": [1.0], "logits": [1.0]}, "name one of them"),
        ({"logits": [1e300]}, "finite numbers that float32 has"),
        ({"logits": [np.nan]}, "finite"),
    ],
)
def test_what_is_no_distribution_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        explain.entropy(**arguments)


def test_the_commands():
    assert "0.6931 nats = 1 bits" in run("explain", "entropy", "--p", "1/2,1/2").stdout
    assert "parameters 6·1·5·5 + 6 = 156" in run("explain", "sizes", "lenet").stdout
    for arguments, message in (
        (["entropy", "--p", "1/0"], "must be probabilities"),
        (["entropy", "--p", "0.5"], "must add up to 1"),
        (["entropy", "--logits", "a"], "must be numbers"),
        (["sizes", "none"], "is unknown"),
        (["sizes", "--input-size", "1,2,3"], "needs a MODEL"),
        (["sizes", "lenet", "--input-size", "1,28"], "must be C,H,W"),
        (["sizes", "lenet", "--input-size", "1,2,2"], "not made for an image of 1,2,2"),
    ):
        assert message in fails(2, "explain", *arguments)


UTF8 = ("lenet", "mnist-cnn", "plain-cnn", "convnet", "block-vgg", "resnet18-cifar10", "alexnet-cifar10")


@pytest.mark.parametrize(("name", "encoding"), [("lenet", "ascii"), *((name, "utf-8") for name in UTF8)])
def test_every_printed_formula_holds(name, encoding):
    e = explain.sizes(name)
    text = written(e, 80, encoding)
    assert max(map(len, text.splitlines())) <= 80
    signs = {"·": "*", "−": "-", "⌊": "math.floor(", "⌋": ")", "⌈": "math.ceil(", "⌉": ")", ",": ""}
    floor = {"floor(": "math.floor(", "ceil(": "math.ceil("}
    formulas = 0
    for line in text.splitlines():
        found = re.match(r"  (?:OH =|OW =|parameters|multiply-adds) (.+) = ([\d,]+)", line)
        if not found:
            continue
        left, right = found.groups()
        for sign, code in (signs if encoding == "utf-8" else floor | {",": ""}).items():
            left = left.replace(sign, code)
        assert eval(left, {"math": math}) == int(right.replace(",", "")), line
        formulas += 1
    assert formulas >= 10
    whole = summary(MODELS[name](in_channels=INPUT_SIZES[name][0]), (1, *INPUT_SIZES[name]))
    assert f"  parameters    {whole.parameters:,}\n" in text
    assert f"  multiply-adds {whole.mult_adds:,}\n" in text
    lines = re.findall(r"^  parameters .*?([\d,]+)(?:\n|$)", text, re.M)
    assert sum(int(line.replace(",", "")) for line in lines[:-1]) == whole.parameters


def test_networks_side_by_side():
    text = written(explain.compare_sizes(("lenet", "mnist-cnn")))
    columns = {line[:26].strip(): line[26:].split() for line in text.splitlines() if line.startswith("  ")}
    assert columns["parameters"][0] == "44,426"
    assert columns["multiply-adds"][0] == "286,334"
    assert columns["last map"][0] == "16×4×4"


def test_ascii_has_words_for_all_signs():
    assert in_ascii("KL(p‖q) → 2") == "KL(p||q) -> 2"
