"""Wrong layers: each a right one with one mistake in what its backward pass runs, as people make them.

Written in November 2026 by somebody who saw the contract alone. A mistake is edits of functions of `own_right`: the text that is
there, and what stands for it; `before` is run first. `LABELS` say what is wrong.
"""

import ast
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import own_right
from properties.adapters import Layer


class Mistake(NamedTuple):
    """One mistake in a layer, in words, and as edits: of which function, what stands there, and what instead."""

    base: str
    edits: tuple[tuple[str, str, str], ...]
    label: str
    before: str = ""


MISTAKES: dict[str, Mistake] = {
    "affine_averaged_bias": Mistake(
        "affine",
        (("affine_backward", "db = np.sum(dout, axis=0)", "db = np.mean(dout, axis=0)"),),
        "Gradient of b is the mean over the batch instead of the sum, so it is N times too small (right only for N=1).",
    ),
    "affine_divides_weight_by_batch": Mistake(
        "affine",
        (("affine_backward", ".T.dot(dout)\n", ".T.dot(dout) / N\n"),),
        "Gradient of w is divided by the batch size N though the upstream already carries any mean (right only for N=1).",
    ),
    "affine_fortran_reshape": Mistake(
        "affine",
        (
            (
                "affine_backward",
                "dx = dout.dot(w.T).reshape(x.shape)",
                "dx = np.zeros_like(x)\n    dx.reshape(N, -1)[...] = dout.dot(w.T)",
            ),
        ),
        "Gradient of x is written through reshape of zeros_like(x): right when x is C-contiguous, but for an x in Fortran order the reshape is a copy and dx stays zero.",
    ),
    "affine_accumulates": Mistake(
        "affine",
        (
            (
                "affine_backward",
                "return dx, dw, db",
                "_AFFINE_GRADS['w'] = _AFFINE_GRADS['w'] + dw if np.shape(_AFFINE_GRADS.get('w')) == dw.shape else dw\n    return dx, _AFFINE_GRADS['w'], db",
            ),
        ),
        "Gradient of w is accumulated in a module global from call to call and never zeroed; the first call of each shape is right, so differences show it only at the second call.",
        "_AFFINE_GRADS = {}",
    ),
    "relu_masks_in_place": Mistake(
        "relu",
        (("relu_backward", "dx = np.array(dout, copy=True)", "dx = dout"),),
        "The upstream gradient is overwritten (dout[x <= 0] = 0 in place); the value returned for x is right, so differences do not show it - only a comparison of the upstream before and after does.",
    ),
    "relu_mask_of_upstream": Mistake(
        "relu",
        (("relu_backward", "dx[x <= 0] = 0", "dx[dx <= 0] = 0"),),
        "Gradient of x is masked where the upstream is not positive (guided-backprop style) instead of where x is not positive.",
    ),
    "residual_skip_forgotten": Mistake(
        "residual",
        (("residual_backward", "dx = dz1 @ W1.T + dz2", "dx = dz1 @ W1.T"),),
        "Gradient of x lacks the identity path dz2 of the skip connection.",
    ),
    "residual_skip_before_relu": Mistake(
        "residual",
        (("residual_backward", "dx = dz1 @ W1.T + dz2", "dx = dz1 @ W1.T + dy"),),
        "Gradient of x through the skip takes dy, not dz2: the outer ReLU's mask is forgotten on that path (wrong only where z2 <= 0).",
    ),
    "residual_inner_mask_missing": Mistake(
        "residual",
        (("residual_backward", "dz1 = da * (z1 > 0)", "dz1 = da"),),
        "The inner ReLU's mask is left out, so gradients of x, W1 and b1 are wrong wherever z1 <= 0.",
    ),
    "highway_carry_forgotten": Mistake(
        "highway", (("highway_backward", " + g * (1 - t)\n", "\n"),), "Gradient of x lacks the carry path g*(1-t)."
    ),
    "highway_weights_swapped": Mistake(
        "highway",
        (("highway_backward", "return dx, dWH, dbH, dWT, dbT", "return dx, dWT, dbH, dWH, dbT"),),
        "Gradients of WH and WT are returned in each other's place (both are D x D, so shapes fit).",
    ),
    "highway_transpose_forgotten": Mistake(
        "highway",
        (("highway_backward", "dt @ WT.T", "dt @ WT"),),
        "Gradient of x uses WT in place of its transpose; WT is square so it runs, and D=1 hides it.",
    ),
    "maxout_all_ties": Mistake(
        "maxout",
        (
            (
                "maxout_backward",
                "np.put_along_axis(dz, winner[:, :, None], dout[:, :, None], axis=2)",
                "dz[...] = (z == z.max(axis=2)[:, :, None]) * dout[:, :, None]",
            ),
        ),
        "Where pieces tie, each tied piece gets the whole upstream (gradients of x, W, b counted several times); away from ties it is right, so differences at generic points do not show it (moving all entries of b together does).",
    ),
    "maxout_largest_magnitude": Mistake(
        "maxout",
        (("maxout_backward", "winner = z.argmax(axis=2)", "winner = np.abs(z).argmax(axis=2)"),),
        "The upstream is routed to the piece of largest absolute value instead of the largest piece (x, W and b).",
    ),
    "bilinear_bias_unsummed": Mistake(
        "bilinear",
        (("bilinear_backward", "db = dout.sum(axis=0)", "db = dout[0]"),),
        "Gradient of b takes the first row of the upstream instead of the sum over the batch (right for N=1 only).",
    ),
    "bilinear_shared_input": Mistake(
        "bilinear",
        (
            (
                "bilinear_backward",
                'dW = np.einsum("no,ni,nj->oij", dout, x1, x2)',
                'dW = np.einsum("no,i,j->oij", dout, x1.sum(0), x2.sum(0))',
            ),
        ),
        "Gradient of W multiplies sums over the batch rather than summing the products per example (right for N=1 only).",
    ),
    "batchnorm_mean_forgotten": Mistake(
        "batchnorm",
        (("batchnorm_backward", "dx = dx1 + dx2", "dx = dx1"),),
        "Gradient of x lacks the path through the batch mean (dx2).",
    ),
    "batchnorm_variance_forgotten": Mistake(
        "batchnorm",
        (("batchnorm_backward", "dxmu2 = 2 * xmu * dsq", "dxmu2 = 0 * xmu * dsq"),),
        "Gradient of x lacks the path through the batch variance.",
    ),
    "batchnorm_eps_outside_root": Mistake(
        "batchnorm",
        (
            (
                "batchnorm_backward",
                "dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar",
                "dvar = 0.5 * 1.0 / (np.sqrt(var) + eps) * dsqrtvar",
            ),
        ),
        "Subtle: in the variance path of x's gradient eps stands outside the root, sqrt(var)+eps for sqrt(var+eps): relative error of about eps/std.",
    ),
    "batchnorm_ddof": Mistake(
        "batchnorm",
        (
            (
                "batchnorm_backward",
                "dsq = 1.0 / N * np.ones((N, D)) * dvar",
                "dsq = 1.0 / max(N - 1, 1) * np.ones((N, D)) * dvar",
            ),
        ),
        "The variance path of x's gradient divides by N-1 while the forward pass divides by N.",
    ),
    "batchnorm_alt_gamma_raw_input": Mistake(
        "batchnorm_alt",
        (
            (
                "BatchNormalization",
                "self.dgamma = np.sum(self.xn * dout, axis=0)",
                "self.dgamma = np.sum(self.xc * dout, axis=0)",
            ),
        ),
        "Gradient of gamma uses the centred input instead of the normalised one (division by std forgotten).",
    ),
    "batchnorm_alt_eps_forgotten": Mistake(
        "batchnorm_alt",
        (("BatchNormalization", "/ (N * self.std)", "/ (N * np.sqrt(self.var + 1e-20))"),),
        "Subtle: eps is in effect forgotten in the final division of x's gradient (sqrt(var) for sqrt(var+eps)); relative error eps/(2 var), plain when var is small.",
    ),
    "batchnorm_alt_stale_std": Mistake(
        "batchnorm_alt",
        (
            (
                "BatchNormalization",
                "        self.xn = self.xc / self.std\n",
                "        if np.shape(_RUNNING.get('std')) == self.std.shape:\n            _RUNNING['std'] = 0.9 * _RUNNING['std'] + 0.1 * self.std\n        else:\n            _RUNNING['std'] = self.std\n        self.xn = self.xc / self.std\n",
            ),
            ("BatchNormalization", "/ (N * self.std)", "/ (N * _RUNNING['std'])"),
        ),
        "Gradient of x divides by a running standard deviation that a module global keeps between calls, not by this batch's; right while only one x has been seen, so plain differences show it only after a call with another x of the same width.",
        "_RUNNING = {}",
    ),
    "spatial_batchnorm_count": Mistake(
        "spatial_batchnorm",
        (("spatial_batchnorm_backward", "m = N * H * W", "m = N"),),
        "Gradient of x divides the mean and variance paths by N instead of N*H*W (right when H=W=1).",
    ),
    "spatial_batchnorm_gamma_axes": Mistake(
        "spatial_batchnorm",
        (
            (
                "spatial_batchnorm_backward",
                "dgamma = (dout * xn).sum(axis=(0, 2, 3))",
                "dgamma = (dout * xn).sum(axis=0).mean(axis=(1, 2))",
            ),
        ),
        "Gradient of gamma averages over the pixels instead of summing (right when H=W=1).",
    ),
    "layernorm_batch_axis": Mistake(
        "layernorm",
        (("layernorm_backward", "dnorm - dnorm.mean(-1, keepdims=True)", "dnorm - dnorm.mean(0, keepdims=True)"),),
        "Gradient of x subtracts the mean of dnorm over the batch axis instead of the feature axis.",
    ),
    "layernorm_variance_forgotten": Mistake(
        "layernorm",
        (("layernorm_backward", " - norm * (dnorm * norm).mean(-1, keepdims=True)\n", "\n"),),
        "Gradient of x lacks the term through the variance, norm*mean(dnorm*norm).",
    ),
    "layernorm_float32": Mistake(
        "layernorm",
        (("layernorm_backward", "    dx = dx * rstd\n", "    dx = dx * rstd.astype(np.float32)\n"),),
        "Subtle: the reciprocal standard deviation in x's gradient is rounded to float32 (relative error about 3e-8).",
    ),
    "layernorm_gamma_after": Mistake(
        "layernorm",
        (
            ("layernorm_backward", "dnorm = dy * gamma\n", "dnorm = dy\n"),
            ("layernorm_backward", "dx = dx * rstd", "dx = gamma * dx * rstd"),
        ),
        "Gradient of x multiplies by gamma after the means are taken instead of before; right when gamma is constant.",
    ),
    "groupnorm_per_channel": Mistake(
        "groupnorm",
        (
            (
                "groupnorm_backward",
                "dxg = (dxhat - dxhat.mean(axis=axes, keepdims=True)",
                "dxg = (dxhat - dxhat.mean(axis=(3, 4), keepdims=True)",
            ),
        ),
        "Gradient of x subtracts the mean per channel instead of per group; right when each group has one channel.",
    ),
    "groupnorm_beta_axis": Mistake(
        "groupnorm",
        (("groupnorm_backward", "dbeta = np.sum(dout, axis=(0, 2, 3))", "dbeta = np.sum(dout[:1], axis=(0, 2, 3))"),),
        "Gradient of beta sums over the pixels of the first example only (right for N=1).",
    ),
    "instancenorm_naive_mean_term": Mistake(
        "instancenorm",
        (("instancenorm_backward", " - 2 * mu * dvar\n", "\n"),),
        "Gradient of x: the variance E[x^2]-E[x]^2 also depends on mu, and dmu lacks -2*mu*dvar.",
    ),
    "rmsnorm_d_forgotten": Mistake(
        "rmsnorm",
        (("rmsnorm_backward", "keepdims=True) / d\n", "keepdims=True)\n"),),
        "Gradient of x: the correction term is not divided by the number of features d.",
    ),
    "rmsnorm_eps_forgotten": Mistake(
        "rmsnorm",
        (
            (
                "rmsnorm_backward",
                "dx = r * dyg - x * r**3 * np.sum(dyg * x, axis=-1, keepdims=True) / d",
                "dx = r * dyg - x * r * np.sum(dyg * x, axis=-1, keepdims=True) / np.maximum(np.sum(x * x, axis=-1, keepdims=True), 1e-30)",
            ),
        ),
        "Subtle: in the correction term of x's gradient r^2/d is replaced by 1/sum(x^2), which forgets eps; relative error eps/mean(x^2), and D=1 turns it into a gradient that is zero outright.",
    ),
    "l2_normalize_no_projection": Mistake(
        "l2_normalize",
        (("l2_normalize_backward", "(dy - y * (dy * y).sum(axis=1, keepdims=True)) / norm", "dy / norm"),),
        "Gradient of x treats the norm as a constant: the projection y*(dy.y) is missing.",
    ),
    "l2_normalize_square_root_missing": Mistake(
        "l2_normalize",
        (
            (
                "l2_normalize_backward",
                "(dy * y).sum(axis=1, keepdims=True)) / norm",
                "(dy * y).sum(axis=1, keepdims=True)) / norm ** 2",
            ),
        ),
        "Gradient of x is divided by the squared norm instead of the norm.",
    ),
    "inverted_dropout_scale_forgotten": Mistake(
        "inverted_dropout",
        (("inverted_dropout_backward", "dx = dout * mask / (1 - p)", "dx = dout * mask"),),
        "Gradient of x lacks the factor 1/(1-p).",
    ),
    "inverted_dropout_scale_of_p": Mistake(
        "inverted_dropout",
        (("inverted_dropout_backward", "dx = dout * mask / (1 - p)", "dx = dout * mask / p"),),
        "Gradient of x is divided by p where the forward pass divides by 1-p; the two agree for p=0.5.",
    ),
    "dropout_upstream_twice": Mistake(
        "dropout",
        (("dropout_backward", "return dout * mask", "return dout * mask * dout"),),
        "The upstream is applied twice in the gradient of x (right only where it is 0 or 1).",
    ),
    "embedding_overwritten": Mistake(
        "embedding",
        (("embedding_backward", "np.add.at(dW, idx, dout)", "dW[idx] += dout"),),
        "Gradient of W: fancy-index += keeps only one contribution for an index that occurs more than once.",
    ),
    "embedding_negative_index_lost": Mistake(
        "embedding",
        (
            (
                "embedding_backward",
                "np.add.at(dW, idx, dout)",
                "for v in range(W.shape[0]):\n        dW[v] = dout[idx == v].sum(axis=0)",
            ),
        ),
        "Gradient of W is gathered with idx == v, which never matches the negative index -1 that the forward pass reads as the last row; right for the examples without negative indices.",
    ),
    "embedding_padding_trained": Mistake(
        "embedding_pad",
        (("embedding_pad_backward", "if idx[i, t] != padding_idx:", "if True:"),),
        "The row of padding_idx gets a gradient though its outputs are zeroed in the forward pass.",
    ),
    "embedding_padding_zero_assumed": Mistake(
        "embedding_pad",
        (("embedding_pad_backward", "if idx[i, t] != padding_idx:", "if idx[i, t] != 0:"),),
        "Gradient of W treats row 0 as the padding row whatever padding_idx is (right for padding_idx=0).",
    ),
    "rnn_step_derivative_of_input": Mistake(
        "rnn_step",
        (("rnn_step_backward", "da = dnext_h * (1 - next_h**2)", "da = dnext_h * (1 - np.tanh(next_h)**2)"),),
        "tanh' is taken of the output: 1 - tanh(next_h)^2 for 1 - next_h^2, so every gradient is wrong.",
    ),
    "rnn_step_recurrent_weight_new_h": Mistake(
        "rnn_step",
        (("rnn_step_backward", "dWh = prev_h.T.dot(da)", "dWh = next_h.T.dot(da)"),),
        "Gradient of Wh uses the new hidden state instead of the previous one.",
    ),
    "rnn_step_square_transpose": Mistake(
        "rnn_step",
        (("rnn_step_backward", "dprev_h = da.dot(Wh.T)", "dprev_h = da.dot(Wh)"),),
        "Gradient of prev_h uses Wh for Wh.T; square, so it runs, and H=1 hides it.",
    ),
    "rnn_truncated": Mistake(
        "rnn",
        (("rnn_backward", "dtot = dh[:, t] + dprev", "dtot = dh[:, t]"),),
        "The gradient carried back from the later steps is not added (all arguments wrong for T>1).",
    ),
    "rnn_upstream_clipped": Mistake(
        "rnn",
        (("rnn_backward", "dtot = dh[:, t] + dprev", "dtot = np.clip(dh[:, t] + dprev, -5, 5)"),),
        "The hidden-state gradient is clipped to [-5, 5] in the time loop (all arguments; right while it stays within).",
    ),
    "rnn_first_step_skipped": Mistake(
        "rnn",
        (("rnn_backward", "dWh += prev_h.T @ draw", "dWh += h[:, t - 1].T @ draw if t > 0 else 0"),),
        "Gradient of Wh lacks the contribution of the first step, h0.T @ draw (right for h0=0 only).",
    ),
    "rnn_h0_before_last_step": Mistake(
        "rnn",
        (("rnn_backward", "return dx, dprev, dWx, dWh, db", "return dx, dtot, dWx, dWh, db"),),
        "Gradient of h0 is that of the first hidden state, before tanh and Wh are gone through.",
    ),
    "lstm_gates_swapped": Mistake(
        "lstm_cell",
        (
            (
                "lstm_step_backward",
                "np.hstack((di * i * (1 - i), df * f * (1 - f),",
                "np.hstack((df * f * (1 - f), di * i * (1 - i),",
            ),
        ),
        "Input and forget gates' blocks are swapped in da (x, h, Wx, Wh, b).",
    ),
    "lstm_forget_uses_new_cell": Mistake(
        "lstm_cell",
        (("lstm_step_backward", "df = dc * prev_c", "df = dc * next_c"),),
        "The forget gate's gradient uses the new cell state for the old one (x, h, Wx, Wh, b; c itself is right).",
    ),
    "lstm_tanh_of_raw_cell": Mistake(
        "lstm_cell",
        (("lstm_step_backward", "dnext_h * o * (1 - tc**2)", "dnext_h * o * (1 - next_c**2)"),),
        "tanh' is taken with next_c^2 in place of tanh(next_c)^2 (all arguments).",
    ),
    "lstm_cell_upstream_dropped": Mistake(
        "lstm_cell",
        (("lstm_step_backward", "dc = dnext_c + dnext_h", "dc = dnext_h"),),
        "The upstream of the second output, the new cell state, is ignored (all arguments).",
    ),
    "lstm_output_gate_derivative": Mistake(
        "lstm_cell",
        (("lstm_step_backward", "do * o * (1 - o)", "do * (1 - o ** 2)"),),
        "The output gate's sigmoid is differentiated as a tanh, 1-o^2 for o(1-o) (x, h, Wx, Wh, b).",
    ),
    "lstm_cell_gradient_not_carried": Mistake(
        "lstm",
        (
            (
                "lstm_backward",
                "dh[:, t, :] + dprev_h, dprev_c, caches[t]",
                "dh[:, t, :] + dprev_h, 0 * dprev_c, caches[t]",
            ),
        ),
        "The cell state's gradient is not carried from step to step (all arguments, T>1).",
    ),
    "lstm_bias_last_step": Mistake(
        "lstm",
        (("lstm_backward", "db = db + db_t", "db = db_t"),),
        "Gradient of b keeps only the first time step's part instead of the sum over time (right for T=1).",
    ),
    "gru_update_sign": Mistake(
        "gru_cell",
        (("gru_backward", "dz = dout * (h - n)", "dz = dout * (n - h)"),),
        "The update gate's gradient has the wrong sign (x, h, W, U, bi, bh).",
    ),
    "gru_reset_not_applied_to_hidden": Mistake(
        "gru_cell",
        (("gru_backward", "np.concatenate([dr, dz, dn * r], axis=1)", "np.concatenate([dr, dz, dn], axis=1)"),),
        "The candidate's gradient reaches the hidden side without the reset gate r (h, U and bh).",
    ),
    "gru_direct_path_forgotten": Mistake(
        "gru_cell", (("gru_backward", " + dout * z\n", "\n"),), "Gradient of h lacks the direct path dout*z."
    ),
    "gru_reset_without_bias": Mistake(
        "gru_cell",
        (("gru_backward", "dr = dn * hn * r * (1 - r)", "dr = dn * (hn - bh[2 * H:]) * r * (1 - r)"),),
        "The reset gate's gradient uses h@U without the bias bh of the candidate (x, h, W, U, bi, bh; right when that bias is 0).",
    ),
    "attention_softmax_uncorrected": Mistake(
        "attention",
        (("attention_backward", "ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))", "ds = p * (1 - p) * dp"),),
        "The softmax is differentiated entry by entry, p(1-p), without the off-diagonal terms (q and k).",
    ),
    "attention_scale_missing_in_key": Mistake(
        "attention",
        (("attention_backward", "@ q * scale", "@ q"),),
        "Gradient of k lacks the factor 1/sqrt(d) (right for d=1).",
    ),
    "attention_value_weights_of_scores": Mistake(
        "attention",
        (
            (
                "attention_backward",
                "dv = p.transpose(0, 2, 1) @ dout",
                "dv = softmax(k @ q.transpose(0, 2, 1) * scale) @ dout",
            ),
        ),
        "Gradient of v uses weights normalised over the queries (softmax of the transposed scores) instead of p transposed.",
    ),
    "causal_attention_key_transpose": Mistake(
        "causal_attention",
        (("causal_attention_backward", "dK = dS.T @ Q", "dK = dS @ Q"),),
        "Gradient of K uses dS for its transpose; T x T, so it runs, and T=1 hides it.",
    ),
    "causal_attention_correction_axis": Mistake(
        "causal_attention",
        (
            (
                "causal_attention_backward",
                "np.sum(dA * A, axis=1, keepdims=True)",
                "np.sum(dA * A, axis=0, keepdims=True)",
            ),
        ),
        "The softmax's correction is summed over the queries instead of the keys (Q and K).",
    ),
    "causal_attention_mask_after_softmax": Mistake(
        "causal_attention",
        (
            (
                "causal_attention_backward",
                "A = softmax(np.where(mask, Q @ K.T / np.sqrt(d), -np.inf))",
                "A = softmax(Q @ K.T / np.sqrt(d)) * mask",
            ),
        ),
        "The backward pass masks after the softmax, without renormalising, so its weights differ from the forward pass's (Q, K, V).",
    ),
    "mha_first_head_queries": Mistake(
        "multi_head_attention",
        (
            (
                "mha_backward",
                'dk[:, h] = np.einsum("nts,ntd->nsd", ds, q[:, h])',
                'dk[:, h] = np.einsum("nts,ntd->nsd", ds, q[:, 0])',
            ),
        ),
        "Gradient of the keys takes the first head's queries for every head: wrong for x and Wk in all heads but the first.",
    ),
    "mha_output_transpose": Mistake(
        "multi_head_attention",
        (("mha_backward", "split_heads(dy @ Wo.T, heads)", "split_heads(dy @ Wo, heads)"),),
        "Wo is used for its transpose when going back to the heads; square, so it runs (x, Wq, Wk, Wv wrong).",
    ),
    "mha_value_path_forgotten": Mistake(
        "multi_head_attention",
        (("mha_backward", "dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T", "dx = dq @ Wq.T + dk @ Wk.T"),),
        "Gradient of x lacks the path through the values.",
    ),
    "conv1d_flipped_kernel": Mistake(
        "conv1d",
        (("conv1d_backward", "dcols[:, :, :, k]", "dcols[:, :, :, K - 1 - k]"),),
        "Gradient of x uses the kernel back to front (right for symmetric kernels).",
    ),
    "conv1d_bias_mean": Mistake(
        "conv1d",
        (("conv1d_backward", "db = dout.sum(axis=(0, 2))", "db = dout.sum(axis=0).mean(axis=1)"),),
        "Gradient of b averages over positions instead of summing (right for a single output position).",
    ),
    "conv2d_border_cut": Mistake(
        "conv2d",
        (("col2im", "return img[:, :, pad : pad + H, pad : pad + W]", "return img[:, :, :H, :W]"),),
        "Gradient of x cuts the padding off at the wrong side, so it is shifted by one pixel each way.",
    ),
    "conv2d_weight_layout": Mistake(
        "conv2d",
        (("conv2d_backward", "dw = (col.T @ d).T.reshape(w.shape)", "dw = (col.T @ d).reshape(w.shape)"),),
        "Gradient of w reshapes without transposing; the entries are right but in the wrong places (right for F=1).",
    ),
    "depthwise_overwrites": Mistake(
        "depthwise_conv",
        (
            (
                "depthwise_conv_backward",
                "dx[n, c, i : i + kh, j : j + kw] += dout",
                "dx[n, c, i : i + kh, j : j + kw] = dout",
            ),
        ),
        "Gradient of x is overwritten by overlapping windows instead of summed.",
    ),
    "depthwise_last_row": Mistake(
        "depthwise_conv",
        (("depthwise_conv_backward", "for i in range(dout.shape[2]):", "for i in range(max(dout.shape[2] - 1, 1)):"),),
        "The loop stops one output row too early, so gradients of x and w lack the last row (right when there is one row).",
    ),
    "conv_transpose_stride_ignored": Mistake(
        "conv_transpose",
        (
            (
                "conv_transpose_backward",
                "patch = dout[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]",
                "patch = dout[:, :, i : i + kh, j : j + kw]",
            ),
        ),
        "The upstream's patch is taken without the stride (x and w; right for stride 1).",
    ),
    "conv_transpose_weight_first_example": Mistake(
        "conv_transpose",
        (
            (
                "conv_transpose_backward",
                "dw += np.tensordot(x[:, :, i, j], patch, axes=(0, 0))",
                "dw += np.tensordot(x[:1, :, i, j], patch[:1], axes=(0, 0))",
            ),
        ),
        "Gradient of w takes only the first example of the batch (right for N=1).",
    ),
    "maxpool1d_overlap_overwritten": Mistake(
        "maxpool1d",
        (("maxpool1d_backward", "np.argmax(window)] += dout", "np.argmax(window)] = dout"),),
        "Where overlapping windows share a maximum, the gradient of x is overwritten instead of added (right when stride >= k).",
    ),
    "maxpool1d_all_ties": Mistake(
        "maxpool1d",
        (
            (
                "maxpool1d_backward",
                "dx[n, c, t * stride + np.argmax(window)] += dout[n, c, t]",
                "dx[n, c, t * stride:t * stride + k] += (window == window.max()) * dout[n, c, t]",
            ),
        ),
        "Tied maxima each get the whole upstream in x's gradient; right at generic points, so differences show it only when tied entries are moved together.",
    ),
    "maxpool1d_largest_magnitude": Mistake(
        "maxpool1d",
        (("maxpool1d_backward", "np.argmax(window)", "np.argmax(np.abs(window))"),),
        "The upstream goes to the entry of largest magnitude, not the largest (right for positive x).",
    ),
    "maxpool2d_fortran_copy": Mistake(
        "maxpool2d",
        (
            (
                "maxpool2d_backward",
                "    return dwin.reshape(N, C, H // 2, W // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(x.shape)",
                "    dx = np.zeros_like(x)\n    dx.reshape(N * C, H // 2, 2, W // 2, 2)[...] = dwin.reshape(N * C, H // 2, W // 2, 2, 2).transpose(0, 1, 3, 2, 4)\n    return dx",
            ),
        ),
        "Gradient of x is written through reshape of zeros_like(x); for some memory orders of x (Fortran order among them) the reshape is a copy and dx stays zero, so differences show it only in such an order.",
    ),
    "global_avg_pool_square_only": Mistake(
        "global_avg_pool",
        (("gap_backward", "/ (H * W)", "/ (H * H)"),),
        "Gradient of x divides by H*H instead of H*W; right for square images.",
    ),
    "upsample_mean": Mistake(
        "upsample_nearest",
        (("upsample_backward", ".sum(axis=(3, 5))", ".mean(axis=(3, 5))"),),
        "Gradient of x averages over the copies instead of summing.",
    ),
    "pixel_shuffle_order": Mistake(
        "pixel_shuffle",
        (("pixel_shuffle_backward", ".transpose(0, 1, 3, 5, 2, 4)", ".transpose(0, 1, 5, 3, 2, 4)"),),
        "The two sub-pixel axes are exchanged in x's gradient, so channels 1 and 2 of each group of four are swapped.",
    ),
    "squeeze_excite_squeeze_forgotten": Mistake(
        "squeeze_excite",
        (("se_backward", " + ds[:, :, None, None] / (H * W)\n", "\n"),),
        "Gradient of x lacks the path through the squeeze (the pooled gate).",
    ),
    "squeeze_excite_gate_upstream": Mistake(
        "squeeze_excite",
        (("se_backward", "de = (dout * x).sum(axis=(2, 3))", "de = dout.sum(axis=(2, 3)) * s"),),
        "The gate's gradient multiplies sums instead of summing products (wrong for W1, b1, W2, b2 and x; right when H=W=1).",
    ),
    "softplus_squared_sigmoid": Mistake(
        "softplus",
        (("softplus_backward", "dout * sigmoid(x)", "dout * sigmoid(x) * (1 - sigmoid(x))"),),
        "Gradient of x is the sigmoid's derivative instead of the sigmoid.",
    ),
    "silu_product_rule": Mistake(
        "silu",
        (("Swish", "dout * (self.out + self.sig * (1 - self.out))", "dout * (self.sig + self.sig * (1 - self.sig))"),),
        "Gradient of x: the second term of the product rule lacks its factor x.",
    ),
    "gelu_tanh_inner_derivative": Mistake(
        "gelu_tanh",
        (("gelu_tanh_backward", "(1 + 3 * 0.044715 * x**2)", "(1 + 0.044715 * x**2)"),),
        "Gradient of x: the cubic's derivative lacks its factor 3.",
    ),
    "gelu_tanh_rounded_constant": Mistake(
        "gelu_tanh",
        (("gelu_tanh_backward", "k = np.sqrt(2 / np.pi)", "k = 0.797885"),),
        "Subtle: sqrt(2/pi) is rounded to 0.797885 in x's gradient (error about 2e-7 of the largest gradient, only for |x| of a few units, relatively more near the zero of the gradient).",
    ),
    "gelu_tanh_of_erf": Mistake(
        "gelu_tanh",
        (
            (
                "gelu_tanh_backward",
                "return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * dinner)",
                "return dout * (0.5 * (1 + erf(x / np.sqrt(2))) + x * np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi))",
            ),
        ),
        "Subtle: x's gradient is that of the exact (erf) GELU, while the forward pass is the tanh approximation (about 1e-3 off).",
    ),
    "gelu_erf_density_term": Mistake(
        "gelu_erf",
        (("gelu_erf_backward", "dout * (cdf + x * pdf)", "dout * cdf"),),
        "Gradient of x lacks the term x*pdf(x).",
    ),
    "elu_alpha_forgotten": Mistake(
        "elu",
        (("elu_backward", "alpha * np.exp(np.minimum(x, 0))", "np.exp(np.minimum(x, 0))"),),
        "Gradient of x lacks the factor alpha on the negative side (right for alpha=1).",
    ),
    "prelu_slope_unmasked": Mistake(
        "prelu", (("prelu_backward", "dout * x * neg", "dout * x"),), "Gradient of a sums over positive inputs as well."
    ),
    "prelu_slope_first_example": Mistake(
        "prelu",
        (("prelu_backward", "da = np.sum(dout * x * neg, axis=(0, 2))", "da = np.sum(dout * x * neg, axis=2)[0]"),),
        "Gradient of a is the first example's only: the sum over the batch is missing (right for N=1).",
    ),
    "hardtanh_straight_through": Mistake(
        "hardtanh",
        (("hardtanh_backward", "dout * ((x > lo) & (x < hi))", "dout * np.ones(x.shape)"),),
        "Gradient of x goes through outside [lo, hi] as well (the clip is taken as the identity).",
    ),
    "glu_gate_derivative": Mistake(
        "glu",
        (("glu_backward", "dout * a * s * (1 - s)", "dout * a * (1 - s)"),),
        "Gradient of x's gate half lacks the factor s.",
    ),
    "softmax_diagonal_only": Mistake(
        "softmax",
        (("softmax_backward", " - np.outer(s[n], s[n])", " - np.diag(s[n] ** 2)"),),
        "Gradient of x uses only the diagonal of the softmax's Jacobian (right for C=1).",
    ),
    "log_softmax_sum_forgotten": Mistake(
        "log_softmax",
        (("log_softmax_backward", "dout - p * dout.sum(axis=1, keepdims=True)", "dout - p"),),
        "Gradient of x lacks the sum of the upstream; right only when each row of it sums to 1.",
    ),
    "log_softmax_remembered": Mistake(
        "log_softmax",
        (
            (
                "log_softmax_backward",
                "p = np.exp(log_softmax_forward(x))",
                "p = _LAST.get('p')\n    if p is None or p.shape != x.shape:\n        p = np.exp(log_softmax_forward(x))",
            ),
            (
                "log_softmax_forward",
                "    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))",
                "    out = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))\n    _LAST['p'] = np.exp(out)\n    return out",
            ),
        ),
        "Gradient of x uses the probabilities of the latest forward call of that shape, kept in a module global, whatever x is given; right when the forward pass of the same x came last.",
        "_LAST = {}",
    ),
    "logsumexp_upstream_inside": Mistake(
        "logsumexp",
        (("logsumexp_backward", "return w * g[..., None]", "return w * g.mean()"),),
        "The upstream is averaged to one number instead of applied per row in x's gradient.",
    ),
    "mean_var_mean_upstream": Mistake(
        "mean_var",
        (("mean_var_backward", "dmean / n + 2.0 / n", "dmean + 2.0 / n"),),
        "Gradient of x through the mean lacks 1/n (the variance's part is right).",
    ),
    "mean_var_not_centred": Mistake(
        "mean_var",
        (("mean_var_backward", "(x - x.mean(axis=0)) * dvar", "x * dvar"),),
        "Gradient of x through the variance uses x instead of x - mean.",
    ),
    "outer_wrong_axis": Mistake(
        "outer",
        (
            (
                "outer_backward",
                "dv = (dout * u[:, :, None]).sum(axis=1)",
                "dv = dout.sum(axis=1) * u.sum(axis=1, keepdims=True)",
            ),
        ),
        "Gradient of v multiplies two sums instead of summing the products over u's axis (right for A=1).",
    ),
    "bmm_shared_matrix_one_head": Mistake(
        "bmm",
        (("bmm_backward", "(A.swapaxes(-1, -2) @ dC).sum(axis=1)", "(A.swapaxes(-1, -2) @ dC)[:, -1]"),),
        "Gradient of the shared B takes the last head only: the sum over the broadcast axis is missing (right for one head).",
    ),
    "scale_shift_broadcast_mean": Mistake(
        "scale_shift",
        (("scale_shift_backward", "dg = np.sum(dout * x, axis=1)", "dg = np.mean(dout * x, axis=1)"),),
        "Gradient of g averages over the broadcast axis instead of summing (right for T=1).",
    ),
    "cosine_no_projection": Mistake(
        "cosine",
        (("cosine_backward", "dx = g * (y / (nx * ny) - cos * x / nx**2)", "dx = g * y / (nx * ny)"),),
        "Gradient of x treats x's norm as constant.",
    ),
    "cosine_wrong_norm": Mistake(
        "cosine",
        (
            (
                "cosine_backward",
                "dy = g * (x / (nx * ny) - cos * y / ny**2)",
                "dy = g * (x / (nx * ny) - cos * y / nx**2)",
            ),
        ),
        "Gradient of y divides its second term by x's squared norm instead of y's.",
    ),
    "svm_own_class_forgotten": Mistake(
        "svm_loss",
        (("svm_loss_backward", "    dx[np.arange(N), y] -= num_pos\n", ""),),
        "Gradient of x lacks the correct class's entry (minus the number of violated margins).",
    ),
    "svm_own_class_once": Mistake(
        "svm_loss",
        (("svm_loss_backward", "-= num_pos", "-= (num_pos > 0)"),),
        "The correct class's gradient is -1 instead of minus the number of violated margins (right when at most one is violated).",
    ),
    "svm_sum_not_mean": Mistake(
        "svm_loss",
        (("svm_loss_backward", "    dx /= N\n", ""),),
        "Gradient of x is not divided by N though the loss is a mean (right for N=1).",
    ),
    "svm_upstream_ignored": Mistake(
        "svm_loss",
        (("svm_loss_backward", "return dx * dout", "return dx"),),
        "The upstream gradient is ignored (right only for an upstream of 1).",
    ),
    "binary_hinge_active_count": Mistake(
        "binary_hinge",
        (("binary_hinge_backward", "dout / n\n", "dout / max(active.sum(), 1)\n"),),
        "All gradients are divided by the number of active examples instead of all examples (right when all are active).",
    ),
    "binary_hinge_sign": Mistake(
        "binary_hinge",
        (("binary_hinge_backward", "db = np.array([ds.sum()])", "db = np.array([-ds.sum()])"),),
        "Gradient of b has the wrong sign.",
    ),
    "cross_entropy_single_example": Mistake(
        "cross_entropy",
        (("cross_entropy_backward", "    dlogits /= n\n", ""),),
        "Gradient of the logits is not divided by the batch size (right for N=1).",
    ),
    "cross_entropy_smoothed_probability": Mistake(
        "cross_entropy",
        (
            (
                "cross_entropy_backward",
                "dlogits = softmax(logits, axis=1)",
                "dlogits = softmax(logits, axis=1) * (1 - 1e-6)",
            ),
        ),
        "Subtle: the probabilities in the gradient of the logits are scaled by 1-1e-6 (a stabilising factor the forward pass lacks).",
    ),
    "kl_target_constant": Mistake(
        "kl_divergence",
        (("kl_backward", "(np.log(p) - np.log(q) + 1)", "(np.log(p) - np.log(q))"),),
        "Gradient of p lacks the +1 of d(p log p).",
    ),
    "kl_stabilised_division": Mistake(
        "kl_divergence",
        (("kl_backward", "dq = -p / q / n", "dq = -p / (q + 1e-7) / n"),),
        "Subtle: gradient of q divides by q+1e-7 where the forward pass has log(q): relative error 1e-7/q.",
    ),
    "huber_delta_forgotten": Mistake(
        "huber",
        (("huber_backward", "delta * np.sign(r)", "np.sign(r)"),),
        "The linear part's slope is 1 instead of delta, for pred and target (right for delta=1).",
    ),
    "huber_target_sign": Mistake(
        "huber", (("huber_backward", "return dr, -dr", "return dr, dr"),), "Gradient of target lacks the minus sign."
    ),
    "l1_whole_size": Mistake(
        "l1_loss",
        (("l1_backward", "/ pred.shape[1]", "/ pred.size"),),
        "Gradients of pred and target are divided by N*D where the loss is a mean over D only (right for N=1).",
    ),
    "bce_probability_target": Mistake(
        "bce_logits",
        (("bce_logits_backward", "dout * (sigmoid(x) - t)", "dout * (sigmoid(x) - (t > 0.5))"),),
        "Gradient of x rounds the target to 0/1; right for hard labels, wrong for soft ones.",
    ),
    "focal_modulation_constant": Mistake(
        "focal_loss",
        (("focal_backward", "(gamma * pt * logpt - sigmoid(-z))", "(-sigmoid(-z))"),),
        "Gradient of x treats the factor (1-pt)^gamma as constant: the term gamma*pt*log(pt) is missing.",
    ),
    "focal_sign_of_negatives": Mistake(
        "focal_loss",
        (("focal_backward", "return dout * s * dz", "return dout * dz"),),
        "Gradient of x lacks the sign s of the negative examples (right for t=1 only).",
    ),
    "triplet_anchor_half": Mistake(
        "triplet",
        (("triplet_backward", "return gp - gn, -gp, gn", "return gp, -gp, gn"),),
        "Gradient of the anchor lacks the part through the negative distance.",
    ),
    "triplet_always_active": Mistake(
        "triplet",
        (("triplet_backward", "on = (dp - dn + margin > 0) * dout", "on = (dp - dn > -np.inf) * dout"),),
        "Gradients of a, p and n are not switched off where the loss is zero.",
    ),
    "triplet_eps_outside_root": Mistake(
        "triplet",
        (
            (
                "triplet_backward",
                "dp = np.sqrt(np.sum((a - p) ** 2, axis=1, keepdims=True) + eps)",
                "dp = np.sqrt(np.sum((a - p) ** 2, axis=1, keepdims=True)) + eps",
            ),
        ),
        "Subtle: in the backward pass eps stands outside the root of the positive distance (a and p): relative error about eps/distance.",
    ),
    "gelu_erf_rounded_constant": Mistake(
        "gelu_erf",
        (("gelu_erf_backward", "np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)", "np.exp(-0.5 * x**2) * 0.398942"),),
        "Subtle: 1/sqrt(2 pi) is rounded to 0.398942 in x's gradient (error about 2e-7 of the largest gradient, relatively more near the zero of the gradient at x=-0.75, none for large |x|).",
    ),
    "inverted_dropout_guarded_scale": Mistake(
        "inverted_dropout",
        (("inverted_dropout_backward", "dx = dout * mask / (1 - p)", "dx = dout * mask / (1 - p + 1e-6)"),),
        "Subtle: gradient of x divides by 1-p+1e-6 where the forward pass divides by 1-p (relative error 1e-6/(1-p)).",
    ),
    "conv2d_float32": Mistake(
        "conv2d",
        (
            (
                "conv2d_backward",
                "dw = (col.T @ d).T.reshape(w.shape)",
                "dw = (col.astype(np.float32).T @ d.astype(np.float32)).astype(float).T.reshape(w.shape)",
            ),
        ),
        "Subtle: gradient of w is computed in float32 (relative error about 1e-7).",
    ),
    "l2_normalize_guarded": Mistake(
        "l2_normalize",
        (("l2_normalize_backward", "keepdims=True)) / norm", "keepdims=True)) / (norm + 1e-6)"),),
        "Subtle: gradient of x is divided by norm+1e-6 instead of norm (relative error 1e-6/norm).",
    ),
    "attention_rounded_scale": Mistake(
        "attention",
        (
            (
                "attention_backward",
                "dk = ds.transpose(0, 2, 1) @ q * scale",
                "dk = ds.transpose(0, 2, 1) @ q * round(scale, 6)",
            ),
        ),
        "Subtle: in k's gradient the scale 1/sqrt(d) is rounded to six decimals (relative error up to 1e-6; none for d=1 and d=4).",
    ),
    "bce_clipped_probability": Mistake(
        "bce_logits",
        (("bce_logits_backward", "dout * (sigmoid(x) - t)", "dout * (np.clip(sigmoid(x), 1e-3, 1 - 1e-3) - t)"),),
        "The probability in x's gradient is clipped to [0.001, 0.999] where the forward pass works on the logits: right for |x| < 6.9, off by up to 1e-3 beyond (all of the gradient where the target agrees).",
    ),
    "lstm_rounded_cell_path": Mistake(
        "lstm",
        (("lstm_backward", "dprev_h, dprev_c, caches[t]", "dprev_h, dprev_c.astype(np.float32), caches[t]"),),
        "Subtle: the cell state's gradient is rounded to float32 between steps (all arguments, T>1, relative error up to about 1e-7).",
    ),
}


def made(name: str) -> Layer:
    """The layer with this mistake in it."""
    mistake, source = MISTAKES[name], Path(own_right.__file__).read_text(encoding="utf-8")
    for function, right, wrong in mistake.edits:
        (node,) = (one for one in ast.parse(source).body if getattr(one, "name", None) == function)
        text = ast.get_source_segment(source, node)
        assert text is not None
        assert f"{text}\n".count(right) == 1
        source = source.replace(text, f"{text}\n".replace(right, wrong).rstrip("\n"))
    names: dict[str, Any] = {"__name__": f"{own_right.__name__}.{name}"}
    exec(  # noqa: S102  # a file beside this one
        compile(f"{source}\n{mistake.before}\n", own_right.__file__, "exec"), names
    )
    layer: Layer = names["LAYERS"][mistake.base]
    return layer


LAYERS = {name: made(name) for name in MISTAKES}
LABELS = {name: one.label for name, one in MISTAKES.items()}
