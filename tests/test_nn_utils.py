"""nn.utils: norms of weights, parametrizations, pruning, fusion, clipping: the same session on both libraries."""

import copy

from agreement import assert_same_session

import minicnn
from minicnn import nn

LINEAR = """
        import warnings
        warnings.simplefilter("ignore")
        import importlib
        U = nn.utils
        P, Z, prune = U.parametrize, U.parametrizations, importlib.import_module(U.__name__ + ".prune")
        def linear(i=4, o=3):
            layer = nn.Linear(i, o)
            layer.weight.data, layer.bias.data = A(o, i), A(o)
            return layer
        x = A(2, 4)
"""


def test_norms_of_weights():
    assert_same_session(
        LINEAR
        + """
        layer = Z.weight_norm(linear())
        layer, list(layer.state_dict()), layer.weight
        layer(x).sum().backward()
        [p.grad for p in layer.parameters()]
        P.remove_parametrizations(layer, "weight"), list(layer.state_dict())
        layer = Z.spectral_norm(linear())
        layer, list(layer.state_dict())
        layer.parametrizations.weight[0]._u.data = T.ones(3) / 3**0.5
        layer.parametrizations.weight[0]._v.data = T.ones(4) / 2
        y = layer(x)
        y.sum().backward()
        y, [p.grad for p in layer.parameters()]
        layer = U.spectral_norm(linear())
        list(layer.state_dict())
        layer.weight_u.data, layer.weight_v.data = T.ones(3) / 3**0.5, T.ones(4) / 2
        y = layer(x)
        y.sum().backward()
        y, layer.weight_orig.grad, layer
        U.spectral_norm(layer)
        list(U.remove_spectral_norm(layer).state_dict()), layer.weight
        U.remove_spectral_norm(layer)
        layer = U.weight_norm(linear())
        list(layer.state_dict())
        layer(x).sum().backward()
        layer.weight_g.grad
        list(U.remove_weight_norm(layer).state_dict()), layer.weight
        U.weight_norm(linear(), dim=None).weight_g
    """
    )


def test_parametrizations():
    assert_same_session(
        LINEAR
        + """
        class Symmetric(nn.Module):
            def forward(self, x):
                return x + x.T
            def right_inverse(self, x):
                return x / 2
        class Row(nn.Module):
            def forward(self, x):
                return x[0]
        layer = P.register_parametrization(linear(3, 3), "weight", Symmetric())
        layer.weight
        P.register_parametrization(linear(), "weight", Row())
        P.register_parametrization(linear(), "missing", Row())
        layer.weight = T.ones(3, 3)
        layer.weight, layer.parametrizations.weight.original
        P.register_parametrization(layer, "weight", Symmetric())
        layer.weight, type(layer).__name__, P.type_before_parametrizations(layer).__name__
        layer.weight is layer.weight
        with P.cached():
            same = layer.weight is layer.weight
        same
        P.remove_parametrizations(layer, "weight", leave_parametrized=False), layer.weight
        P.remove_parametrizations(layer, "weight")
    """
    )


def test_a_copy_keeps_its_parametrization_when_the_original_loses_it():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    other = copy.deepcopy(layer)
    nn.utils.parametrize.remove_parametrizations(layer, "weight")
    assert minicnn.allclose(other.weight, layer.weight)


def test_pruning():
    assert_same_session(
        LINEAR
        + """
        layer = prune.l1_unstructured(linear(), "weight", amount=0.3)
        layer.weight, list(layer.state_dict()), prune.is_pruned(layer)
        prune.l1_unstructured(layer, "weight", amount=2).weight_mask
        layer(x).sum().backward()
        layer.weight_orig.grad, len(layer._forward_pre_hooks)
        prune.ln_structured(layer, "weight", amount=0.5, n=2, dim=0).weight
        prune.remove(layer, "weight").weight, list(layer.state_dict()), prune.is_pruned(layer)
        prune.remove(layer, "weight")
        model = nn.Sequential(linear(), linear(3, 2))
        prune.global_unstructured([(model[0], "weight"), (model[1], "weight")], prune.L1Unstructured, amount=0.4)
        model[0].weight, model[1].weight
        int((prune.random_unstructured(model[0], "bias", amount=2).bias_mask == 0).sum())
        prune.custom_from_mask(model[1], "bias", T.tensor([1.0, 0.0])).bias
        prune.l1_unstructured(linear(), "weight", amount=1.5)
        prune.l1_unstructured(linear(), "weight", amount=100)
        prune.ln_structured(linear(), "bias", 1, 2, 0)
        class Every(prune.BasePruningMethod):
            PRUNING_TYPE = "unstructured"
            def compute_mask(self, t, default_mask):
                mask = default_mask.clone()
                mask.view(-1)[::2] = 0
                return mask
        layer = linear()
        method = Every.apply(layer, "bias")
        layer.bias
    """
    )


def test_vectors_clipping_and_fusion():
    assert_same_session(
        LINEAR
        + """
        layer = linear()
        v = U.parameters_to_vector(layer.parameters())
        v
        U.vector_to_parameters(v.detach() * 2, layer.parameters())
        layer.weight
        U.vector_to_parameters([1], layer.parameters())
        (layer(x) ** 2).sum().backward()
        U.clip_grad_value_(layer.parameters(), 0.5)
        layer.weight.grad, U.get_total_norm([p.grad for p in layer.parameters()])
        U.clip_grad_norm(layer.parameters(), 1.0), layer.weight.grad
        conv, norm = nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3)
        conv.weight.data, conv.bias.data, norm.weight.data = A(3, 2, 3, 3), A(3), A(3)
        norm.running_mean.data, norm.running_var.data = A(3), A(3) ** 2 + 1
        U.fuse_conv_bn_eval(conv, norm)
        U.fuse_conv_bn_eval(conv.eval(), norm.eval())(A(1, 2, 4, 4))
    """
    )
