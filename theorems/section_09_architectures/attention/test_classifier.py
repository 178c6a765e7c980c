"""Self-tests of the small transformer: its patches, and that what is read off it is the attention that it computes."""

import numpy as np
import pytest

from properties.certificates import assert_at_most, assert_identical
from theorems.section_09_architectures.attention.classifier import (
    TOKENS,
    WIDTH,
    attention_weights,
    logit_weights,
    patch_transformer,
    patches,
)


def test_a_patch_holds_four_neighbouring_pixels_row_by_row():
    image = np.arange(64)[None]
    assert_identical(patches(image)[0, :2], [[0, 1, 8, 9], [2, 3, 10, 11]], why="the first two patches")
    assert_identical(np.sort(patches(image).ravel()), np.arange(64), why="every pixel is in one patch")


@pytest.mark.slow
def test_attention_weights_are_the_softmax_of_the_logits_of_the_layer():
    import torch

    # given  an untrained transformer and three inputs
    model, tokens = patch_transformer(7), np.random.default_rng(7).random((3, TOKENS, 4))
    layer = model.blocks[0].self_attn
    with torch.no_grad():
        h = (model.embed(torch.as_tensor(tokens, dtype=torch.float32)) + model.position).double().numpy()
    W, bias = logit_weights(model)[0], layer.in_proj_bias.detach().double().numpy()
    K = layer.in_proj_weight.detach().double().numpy()[WIDTH : 2 * WIDTH]
    # when   k_j . q_i = x_j' W x_i + terms of the biases, of which those that do not depend on j drop out
    logits = h @ W.T @ h.mT + (h @ (K.T @ bias[:WIDTH]))[:, None, :]
    weights = np.exp(logits / np.sqrt(WIDTH))
    P = attention_weights(model, tokens)
    # then   in single precision: three products of WIDTH entries for a logit, a softmax of TOKENS, on either side
    assert_identical(P.shape, (2, 3, TOKENS, TOKENS), why="layers, images, queries, keys")
    error = np.abs(P[0] - weights / weights.sum(-1, keepdims=True)).max()
    assert_at_most(error, 2.0**-24 * 2 * (3 * WIDTH + 2 * TOKENS + 5), why="P of the first layer")
