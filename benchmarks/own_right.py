"""Correct layers, float64, written from scratch in NumPy in the manners people write them."""

import numpy as np
from scipy.special import erf

from properties.adapters import Layer, between

# ---------------------------------------------------------------- helpers


def sigmoid(x):
    z = np.exp(-np.abs(x))
    return np.where(x >= 0, 1.0 / (1.0 + z), z / (1.0 + z))


def softmax(x, axis=-1):
    e = np.exp(x - x.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


# ---------------------------------------------------------------- fully connected


def affine_forward(x, w, b):
    return x.reshape(x.shape[0], -1).dot(w) + b


def affine_backward(x, w, b, dout):
    N = x.shape[0]
    dx = dout.dot(w.T).reshape(x.shape)
    dw = x.reshape(N, -1).T.dot(dout)
    db = np.sum(dout, axis=0)
    return dx, dw, db


def flatten_forward(x):
    return x.reshape(x.shape[0], -1)


def flatten_backward(x, dout):
    return dout.reshape(x.shape)


def relu_forward(x):
    return np.maximum(0, x)


def relu_backward(x, dout):
    dx = np.array(dout, copy=True)
    dx[x <= 0] = 0
    return dx


def residual_forward(x, W1, b1, W2, b2):
    a = np.maximum(x @ W1 + b1, 0)
    return np.maximum(a @ W2 + b2 + x, 0)


def residual_backward(x, W1, b1, W2, b2, dy):
    z1 = x @ W1 + b1
    a = np.maximum(z1, 0)
    z2 = a @ W2 + b2 + x
    dz2 = dy * (z2 > 0)
    dW2 = a.T @ dz2
    db2 = dz2.sum(0)
    da = dz2 @ W2.T
    dz1 = da * (z1 > 0)
    dW1 = x.T @ dz1
    db1 = dz1.sum(0)
    dx = dz1 @ W1.T + dz2
    return dx, dW1, db1, dW2, db2


def highway_forward(x, WH, bH, WT, bT):
    h = np.tanh(x @ WH + bH)
    t = sigmoid(x @ WT + bT)
    return t * h + (1 - t) * x


def highway_backward(x, WH, bH, WT, bT, g):
    h = np.tanh(x @ WH + bH)
    t = sigmoid(x @ WT + bT)
    dh = g * t * (1 - h**2)
    dt = g * (h - x) * t * (1 - t)
    dWH, dbH = x.T @ dh, dh.sum(axis=0)
    dWT, dbT = x.T @ dt, dt.sum(axis=0)
    dx = dh @ WH.T + dt @ WT.T + g * (1 - t)
    return dx, dWH, dbH, dWT, dbT


def maxout_forward(x, W, b):
    z = np.einsum("nd,dmk->nmk", x, W) + b
    return z.max(axis=2)


def maxout_backward(x, W, b, dout):
    z = np.einsum("nd,dmk->nmk", x, W) + b
    winner = z.argmax(axis=2)
    dz = np.zeros(z.shape)
    np.put_along_axis(dz, winner[:, :, None], dout[:, :, None], axis=2)
    dx = np.einsum("nmk,dmk->nd", dz, W)
    dW = np.einsum("nd,nmk->dmk", x, dz)
    db = dz.sum(axis=0)
    return dx, dW, db


def bilinear_forward(x1, x2, W, b):
    return np.einsum("ni,oij,nj->no", x1, W, x2) + b


def bilinear_backward(x1, x2, W, b, dout):
    dx1 = np.einsum("no,oij,nj->ni", dout, W, x2)
    dx2 = np.einsum("no,oij,ni->nj", dout, W, x1)
    dW = np.einsum("no,ni,nj->oij", dout, x1, x2)
    db = dout.sum(axis=0)
    return dx1, dx2, dW, db


# ---------------------------------------------------------------- normalisation


def batchnorm_forward(x, gamma, beta, eps):
    mu = x.mean(axis=0)
    var = x.var(axis=0)
    return gamma * (x - mu) / np.sqrt(var + eps) + beta


def batchnorm_backward(x, gamma, beta, eps, dout):
    # the graph, node by node
    N, D = dout.shape
    mu = 1.0 / N * np.sum(x, axis=0)
    xmu = x - mu
    sq = xmu**2
    var = 1.0 / N * np.sum(sq, axis=0)
    sqrtvar = np.sqrt(var + eps)
    ivar = 1.0 / sqrtvar
    xhat = xmu * ivar
    # step 9
    dbeta = np.sum(dout, axis=0)
    # step 8
    dgamma = np.sum(dout * xhat, axis=0)
    dxhat = dout * gamma
    # step 7
    divar = np.sum(dxhat * xmu, axis=0)
    dxmu1 = dxhat * ivar
    # step 6
    dsqrtvar = -1.0 / (sqrtvar**2) * divar
    # step 5
    dvar = 0.5 * 1.0 / np.sqrt(var + eps) * dsqrtvar
    # step 4
    dsq = 1.0 / N * np.ones((N, D)) * dvar
    # step 3
    dxmu2 = 2 * xmu * dsq
    # step 2
    dx1 = dxmu1 + dxmu2
    dmu = -1 * np.sum(dxmu1 + dxmu2, axis=0)
    # step 1
    dx2 = 1.0 / N * np.ones((N, D)) * dmu
    # step 0
    dx = dx1 + dx2
    return dx, dgamma, dbeta


class BatchNormalization:
    """The short formula."""

    def __init__(self, gamma, beta, eps):
        self.gamma, self.beta, self.eps = gamma, beta, eps

    def forward(self, x):
        self.xc = x - x.mean(axis=0)
        self.var = np.mean(self.xc**2, axis=0)
        self.std = np.sqrt(self.var + self.eps)
        self.xn = self.xc / self.std
        return self.gamma * self.xn + self.beta

    def backward(self, dout):
        N = dout.shape[0]
        self.dbeta = dout.sum(axis=0)
        self.dgamma = np.sum(self.xn * dout, axis=0)
        dxn = self.gamma * dout
        return (N * dxn - dxn.sum(axis=0) - self.xn * np.sum(dxn * self.xn, axis=0)) / (N * self.std)


def batchnorm_alt_forward(x, gamma, beta, eps):
    return BatchNormalization(gamma, beta, eps).forward(x)


def batchnorm_alt_backward(x, gamma, beta, eps, dout):
    layer = BatchNormalization(gamma, beta, eps)
    layer.forward(x)
    dx = layer.backward(dout)
    return dx, layer.dgamma, layer.dbeta


def spatial_batchnorm_forward(x, gamma, beta, eps):
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    var = x.var(axis=(0, 2, 3), keepdims=True)
    xn = (x - mu) / np.sqrt(var + eps)
    return gamma[None, :, None, None] * xn + beta[None, :, None, None]


def spatial_batchnorm_backward(x, gamma, beta, eps, dout):
    N, C, H, W = x.shape
    m = N * H * W
    mu = x.mean(axis=(0, 2, 3), keepdims=True)
    var = x.var(axis=(0, 2, 3), keepdims=True)
    istd = (var + eps) ** -0.5
    xn = (x - mu) * istd
    dgamma = (dout * xn).sum(axis=(0, 2, 3))
    dbeta = dout.sum(axis=(0, 2, 3))
    dxn = dout * gamma.reshape(1, C, 1, 1)
    dvar = np.sum(dxn * (x - mu), axis=(0, 2, 3), keepdims=True) * -0.5 * istd**3
    dmu = np.sum(-dxn * istd, axis=(0, 2, 3), keepdims=True)
    dx = dxn * istd + dvar * 2 * (x - mu) / m + dmu / m
    return dx, dgamma, dbeta


def layernorm_forward(x, gamma, beta, eps):
    mean = x.mean(-1, keepdims=True)
    var = ((x - mean) ** 2).mean(-1, keepdims=True)
    return gamma * (x - mean) / np.sqrt(var + eps) + beta


def layernorm_backward(x, gamma, beta, eps, dy):
    mean = x.mean(-1, keepdims=True)
    var = ((x - mean) ** 2).mean(-1, keepdims=True)
    rstd = 1 / np.sqrt(var + eps)
    norm = (x - mean) * rstd
    dbeta = dy.sum((0, 1))
    dgamma = (dy * norm).sum((0, 1))
    dnorm = dy * gamma
    dx = dnorm - dnorm.mean(-1, keepdims=True) - norm * (dnorm * norm).mean(-1, keepdims=True)
    dx = dx * rstd
    return dx, dgamma, dbeta


def groupnorm_forward(x, gamma, beta, G, eps):
    N, C, H, W = x.shape
    xg = x.reshape(N, G, C // G, H, W)
    mu = xg.mean(axis=(2, 3, 4), keepdims=True)
    var = xg.var(axis=(2, 3, 4), keepdims=True)
    xhat = ((xg - mu) / np.sqrt(var + eps)).reshape(N, C, H, W)
    return xhat * gamma[:, None, None] + beta[:, None, None]


def groupnorm_backward(x, gamma, beta, G, eps, dout):
    N, C, H, W = x.shape
    xg = x.reshape(N, G, C // G, H, W)
    axes = (2, 3, 4)
    mu = xg.mean(axis=axes, keepdims=True)
    var = xg.var(axis=axes, keepdims=True)
    std = np.sqrt(var + eps)
    xhat = (xg - mu) / std
    dgamma = np.sum(dout * xhat.reshape(x.shape), axis=(0, 2, 3))
    dbeta = np.sum(dout, axis=(0, 2, 3))
    dxhat = (dout * gamma[:, None, None]).reshape(xg.shape)
    dxg = (dxhat - dxhat.mean(axis=axes, keepdims=True) - xhat * (dxhat * xhat).mean(axis=axes, keepdims=True)) / std
    return dxg.reshape(x.shape), dgamma, dbeta


def instancenorm_forward(x, gamma, beta, eps):
    # variance the naive way, E[x^2] - E[x]^2
    mu = x.mean(axis=(2, 3), keepdims=True)
    var = (x**2).mean(axis=(2, 3), keepdims=True) - mu**2
    return gamma[:, None, None] * (x - mu) / np.sqrt(var + eps) + beta[:, None, None]


def instancenorm_backward(x, gamma, beta, eps, dout):
    ax = (2, 3)
    M = x.shape[2] * x.shape[3]
    mu = x.mean(axis=ax, keepdims=True)
    var = (x**2).mean(axis=ax, keepdims=True) - mu**2
    std = np.sqrt(var + eps)
    dgamma = (dout * (x - mu) / std).sum(axis=(0, 2, 3))
    dbeta = dout.sum(axis=(0, 2, 3))
    dxhat = dout * gamma[:, None, None]
    dvar = -0.5 * (dxhat * (x - mu)).sum(axis=ax, keepdims=True) / std**3
    dmu = -(dxhat / std).sum(axis=ax, keepdims=True) - 2 * mu * dvar
    dx = dxhat / std + 2 * x * dvar / M + dmu / M
    return dx, dgamma, dbeta


def rmsnorm_forward(x, g, eps):
    return x / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps) * g


def rmsnorm_backward(x, g, eps, dy):
    d = x.shape[-1]
    r = 1.0 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)
    dg = np.sum(dy * x * r, axis=0)
    dyg = dy * g
    dx = r * dyg - x * r**3 * np.sum(dyg * x, axis=-1, keepdims=True) / d
    return dx, dg


def l2_normalize_forward(x, eps):
    return x / np.sqrt((x**2).sum(axis=1, keepdims=True) + eps)


def l2_normalize_backward(x, eps, dy):
    norm = np.sqrt((x**2).sum(axis=1, keepdims=True) + eps)
    y = x / norm
    return (dy - y * (dy * y).sum(axis=1, keepdims=True)) / norm


# ---------------------------------------------------------------- dropout, embedding


def dropout_forward(x, mask):
    return x * mask


def dropout_backward(x, mask, dout):
    return dout * mask


def inverted_dropout_forward(x, mask, p):
    return x * mask / (1 - p)


def inverted_dropout_backward(x, mask, p, dout):
    dx = dout * mask / (1 - p)
    return dx


def embedding_forward(W, idx):
    return W[idx]


def embedding_backward(W, idx, dout):
    dW = np.zeros_like(W)
    np.add.at(dW, idx, dout)
    return dW


def embedding_pad_forward(W, idx, padding_idx):
    out = W[idx].copy()
    out[idx == padding_idx] = 0.0
    return out


def embedding_pad_backward(W, idx, padding_idx, dout):
    dW = np.zeros(W.shape)
    for i in range(idx.shape[0]):
        for t in range(idx.shape[1]):
            if idx[i, t] != padding_idx:
                dW[idx[i, t]] += dout[i, t]
    return dW


# ---------------------------------------------------------------- recurrent


def rnn_step_forward(x, prev_h, Wx, Wh, b):
    return np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)


def rnn_step_backward(x, prev_h, Wx, Wh, b, dnext_h):
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    next_h = np.tanh(a)
    da = dnext_h * (1 - next_h**2)
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = da.sum(axis=0)
    return dx, dprev_h, dWx, dWh, db


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, D = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    prev = h0
    for t in range(T):
        prev = rnn_step_forward(x[:, t], prev, Wx, Wh, b)
        h[:, t] = prev
    return h


def rnn_backward(x, h0, Wx, Wh, b, dh):
    N, T, D = x.shape
    h = rnn_forward(x, h0, Wx, Wh, b)
    dx = np.zeros(x.shape)
    dWx, dWh, db = np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)
    dprev = np.zeros(h0.shape)
    for t in reversed(range(T)):
        prev_h = h[:, t - 1] if t > 0 else h0
        dtot = dh[:, t] + dprev
        draw = (1 - h[:, t] * h[:, t]) * dtot
        dx[:, t] = draw @ Wx.T
        dWx += x[:, t].T @ draw
        dWh += prev_h.T @ draw
        db += draw.sum(0)
        dprev = draw @ Wh.T
    return dx, dprev, dWx, dWh, db


def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x.dot(Wx) + prev_h.dot(Wh) + b
    i = sigmoid(a[:, :H])
    f = sigmoid(a[:, H : 2 * H])
    o = sigmoid(a[:, 2 * H : 3 * H])
    g = np.tanh(a[:, 3 * H :])
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    cache = (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)
    return next_h, next_c, cache


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    tc = np.tanh(next_c)
    dc = dnext_c + dnext_h * o * (1 - tc**2)
    do = dnext_h * tc
    df = dc * prev_c
    di = dc * g
    dg = dc * i
    dprev_c = dc * f
    da = np.hstack((di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)))
    dx = da.dot(Wx.T)
    dprev_h = da.dot(Wh.T)
    dWx = x.T.dot(da)
    dWh = prev_h.T.dot(da)
    db = da.sum(axis=0)
    return dx, dprev_h, dprev_c, dWx, dWh, db


def lstm_cell_forward(x, h, c, Wx, Wh, b):
    return lstm_step_forward(x, h, c, Wx, Wh, b)[:2]


def lstm_cell_backward(x, h, c, Wx, Wh, b, dh, dc):
    cache = lstm_step_forward(x, h, c, Wx, Wh, b)[2]
    return lstm_step_backward(dh, dc, cache)


def lstm_forward(x, h0, Wx, Wh, b):
    h, c = h0, np.zeros(h0.shape)
    hs = []
    for t in range(x.shape[1]):
        h, c, _ = lstm_step_forward(x[:, t, :], h, c, Wx, Wh, b)
        hs.append(h)
    return np.stack(hs, axis=1)


def lstm_backward(x, h0, Wx, Wh, b, dh):
    caches = []
    h, c = h0, np.zeros(h0.shape)
    for t in range(x.shape[1]):
        h, c, cache = lstm_step_forward(x[:, t, :], h, c, Wx, Wh, b)
        caches.append(cache)
    dx = np.zeros(x.shape)
    dWx, dWh, db = 0, 0, 0
    dprev_h = np.zeros(h0.shape)
    dprev_c = np.zeros(h0.shape)
    for t in range(x.shape[1] - 1, -1, -1):
        dx[:, t, :], dprev_h, dprev_c, dWx_t, dWh_t, db_t = lstm_step_backward(
            dh[:, t, :] + dprev_h, dprev_c, caches[t]
        )
        dWx = dWx + dWx_t
        dWh = dWh + dWh_t
        db = db + db_t
    return dx, dprev_h, dWx, dWh, db


def gru_forward(x, h, W, U, bi, bh):
    H = h.shape[1]
    gi = x @ W + bi
    gh = h @ U + bh
    r = sigmoid(gi[:, :H] + gh[:, :H])
    z = sigmoid(gi[:, H : 2 * H] + gh[:, H : 2 * H])
    n = np.tanh(gi[:, 2 * H :] + r * gh[:, 2 * H :])
    return (1 - z) * n + z * h


def gru_backward(x, h, W, U, bi, bh, dout):
    H = h.shape[1]
    gi = x @ W + bi
    gh = h @ U + bh
    r = sigmoid(gi[:, :H] + gh[:, :H])
    z = sigmoid(gi[:, H : 2 * H] + gh[:, H : 2 * H])
    hn = gh[:, 2 * H :]
    n = np.tanh(gi[:, 2 * H :] + r * hn)
    dz = dout * (h - n) * z * (1 - z)
    dn = dout * (1 - z) * (1 - n**2)
    dr = dn * hn * r * (1 - r)
    dgi = np.concatenate([dr, dz, dn], axis=1)
    dgh = np.concatenate([dr, dz, dn * r], axis=1)
    dx = dgi @ W.T
    dh = dgh @ U.T + dout * z
    dW = x.T @ dgi
    dU = h.T @ dgh
    return dx, dh, dW, dU, dgi.sum(0), dgh.sum(0)


# ---------------------------------------------------------------- attention


def attention_forward(q, k, v):
    scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
    return softmax(scores) @ v


def attention_backward(q, k, v, dout):
    scale = 1 / np.sqrt(q.shape[-1])
    p = softmax(q @ k.transpose(0, 2, 1) * scale)
    dv = p.transpose(0, 2, 1) @ dout
    dp = dout @ v.transpose(0, 2, 1)
    ds = p * (dp - (dp * p).sum(axis=-1, keepdims=True))
    dq = ds @ k * scale
    dk = ds.transpose(0, 2, 1) @ q * scale
    return dq, dk, dv


def causal_attention_forward(Q, K, V):
    T, d = Q.shape
    S = Q @ K.T / np.sqrt(d)
    S = np.where(np.tril(np.ones((T, T), dtype=bool)), S, -np.inf)
    return softmax(S) @ V


def causal_attention_backward(Q, K, V, dO):
    T, d = Q.shape
    mask = np.tril(np.ones((T, T), dtype=bool))
    A = softmax(np.where(mask, Q @ K.T / np.sqrt(d), -np.inf))
    dV = A.T @ dO
    dA = dO @ V.T
    dS = A * (dA - np.sum(dA * A, axis=1, keepdims=True))
    dS = dS / np.sqrt(d)
    dQ = dS @ K
    dK = dS.T @ Q
    return dQ, dK, dV


def split_heads(x, heads):
    N, T, E = x.shape
    return x.reshape(N, T, heads, E // heads).transpose(0, 2, 1, 3)


def merge_heads(x):
    N, h, T, d = x.shape
    return x.transpose(0, 2, 1, 3).reshape(N, T, h * d)


def mha_forward(x, Wq, Wk, Wv, Wo, heads):
    q, k, v = (split_heads(x @ w, heads) for w in (Wq, Wk, Wv))
    att = softmax(np.einsum("nhtd,nhsd->nhts", q, k) / np.sqrt(q.shape[-1]))
    return merge_heads(np.einsum("nhts,nhsd->nhtd", att, v)) @ Wo


def mha_backward(x, Wq, Wk, Wv, Wo, heads, dy):
    q, k, v = (split_heads(x @ w, heads) for w in (Wq, Wk, Wv))
    scale = 1 / np.sqrt(q.shape[-1])
    att = softmax(np.einsum("nhtd,nhsd->nhts", q, k) * scale)
    ctx = merge_heads(np.einsum("nhts,nhsd->nhtd", att, v))
    dWo = np.einsum("nte,ntf->ef", ctx, dy)
    dctx = split_heads(dy @ Wo.T, heads)
    dq, dk, dv = np.zeros(q.shape), np.zeros(k.shape), np.zeros(v.shape)
    for h in range(heads):
        dv[:, h] = np.einsum("nts,ntd->nsd", att[:, h], dctx[:, h])
        datt = np.einsum("ntd,nsd->nts", dctx[:, h], v[:, h])
        ds = att[:, h] * (datt - (datt * att[:, h]).sum(-1, keepdims=True)) * scale
        dq[:, h] = np.einsum("nts,nsd->ntd", ds, k[:, h])
        dk[:, h] = np.einsum("nts,ntd->nsd", ds, q[:, h])
    dq, dk, dv = merge_heads(dq), merge_heads(dk), merge_heads(dv)
    dWq = np.einsum("nte,ntf->ef", x, dq)
    dWk = np.einsum("nte,ntf->ef", x, dk)
    dWv = np.einsum("nte,ntf->ef", x, dv)
    dx = dq @ Wq.T + dk @ Wk.T + dv @ Wv.T
    return dx, dWq, dWk, dWv, dWo


# ---------------------------------------------------------------- convolution, pooling, resampling


def conv1d_forward(x, w, b):
    N, C, L = x.shape
    F, _, K = w.shape
    if L < K:
        raise NotImplementedError("input shorter than the kernel")
    cols = np.stack([x[:, :, k : k + L - K + 1] for k in range(K)], axis=3)  # N C Lo K
    return np.einsum("nclk,fck->nfl", cols, w) + b[:, None]


def conv1d_backward(x, w, b, dout):
    N, C, L = x.shape
    F, _, K = w.shape
    if L < K:
        raise NotImplementedError("input shorter than the kernel")
    Lo = L - K + 1
    cols = np.stack([x[:, :, k : k + Lo] for k in range(K)], axis=3)
    dw = np.einsum("nclk,nfl->fck", cols, dout)
    db = dout.sum(axis=(0, 2))
    dcols = np.einsum("nfl,fck->nclk", dout, w)
    dx = np.zeros(x.shape)
    for k in range(K):
        dx[:, :, k : k + Lo] += dcols[:, :, :, k]
    return dx, dw, db


def im2col(x, K, pad):
    N, C, H, W = x.shape
    xp = np.pad(x, ((0, 0), (0, 0), (pad, pad), (pad, pad)))
    Ho, Wo = H + 2 * pad - K + 1, W + 2 * pad - K + 1
    col = np.zeros((N, C, K, K, Ho, Wo))
    for i in range(K):
        for j in range(K):
            col[:, :, i, j] = xp[:, :, i : i + Ho, j : j + Wo]
    return col.transpose(0, 4, 5, 1, 2, 3).reshape(N * Ho * Wo, -1)


def col2im(col, shape, K, pad):
    N, C, H, W = shape
    Ho, Wo = H + 2 * pad - K + 1, W + 2 * pad - K + 1
    col = col.reshape(N, Ho, Wo, C, K, K).transpose(0, 3, 4, 5, 1, 2)
    img = np.zeros((N, C, H + 2 * pad, W + 2 * pad))
    for i in range(K):
        for j in range(K):
            img[:, :, i : i + Ho, j : j + Wo] += col[:, :, i, j]
    return img[:, :, pad : pad + H, pad : pad + W]


def conv2d_forward(x, w, b):
    N, C, H, W = x.shape
    F, _, K, _ = w.shape
    col = im2col(x, K, 1)
    out = col @ w.reshape(F, -1).T + b
    return out.reshape(N, H, W, F).transpose(0, 3, 1, 2)


def conv2d_backward(x, w, b, dout):
    F, C, K, _ = w.shape
    col = im2col(x, K, 1)
    d = dout.transpose(0, 2, 3, 1).reshape(-1, F)
    db = d.sum(axis=0)
    dw = (col.T @ d).T.reshape(w.shape)
    dx = col2im(d @ w.reshape(F, -1), x.shape, K, 1)
    return dx, dw, db


def depthwise_conv_forward(x, w):
    N, C, H, W = x.shape
    kh, kw = w.shape[1:]
    if kh > H or kw > W:
        raise NotImplementedError
    out = np.zeros((N, C, H - kh + 1, W - kw + 1))
    for c in range(C):
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                out[:, c, i, j] = np.sum(x[:, c, i : i + kh, j : j + kw] * w[c], axis=(1, 2))
    return out


def depthwise_conv_backward(x, w, dout):
    N, C, H, W = x.shape
    kh, kw = w.shape[1:]
    if kh > H or kw > W:
        raise NotImplementedError
    dx = np.zeros(x.shape)
    dw = np.zeros(w.shape)
    for n in range(N):
        for c in range(C):
            for i in range(dout.shape[2]):
                for j in range(dout.shape[3]):
                    dx[n, c, i : i + kh, j : j + kw] += dout[n, c, i, j] * w[c]
                    dw[c] += dout[n, c, i, j] * x[n, c, i : i + kh, j : j + kw]
    return dx, dw


def conv_transpose_forward(x, w, b, stride):
    N, C, H, W = x.shape
    _, F, kh, kw = w.shape
    out = np.zeros((N, F, (H - 1) * stride + kh, (W - 1) * stride + kw))
    for i in range(H):
        for j in range(W):
            out[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw] += np.tensordot(
                x[:, :, i, j], w, axes=(1, 0)
            )
    return out + b.reshape(1, F, 1, 1)


def conv_transpose_backward(x, w, b, stride, dout):
    N, C, H, W = x.shape
    _, F, kh, kw = w.shape
    dx = np.zeros(x.shape)
    dw = np.zeros(w.shape)
    for i in range(H):
        for j in range(W):
            patch = dout[:, :, i * stride : i * stride + kh, j * stride : j * stride + kw]
            dx[:, :, i, j] = np.tensordot(patch, w, axes=((1, 2, 3), (1, 2, 3)))
            dw += np.tensordot(x[:, :, i, j], patch, axes=(0, 0))
    db = dout.sum(axis=(0, 2, 3))
    return dx, dw, db


def maxpool1d_forward(x, k, stride):
    N, C, L = x.shape
    if k > L:
        raise NotImplementedError("window longer than the signal")
    Lo = (L - k) // stride + 1
    out = np.empty((N, C, Lo))
    for t in range(Lo):
        out[:, :, t] = x[:, :, t * stride : t * stride + k].max(axis=2)
    return out


def maxpool1d_backward(x, k, stride, dout):
    N, C, L = x.shape
    if k > L:
        raise NotImplementedError("window longer than the signal")
    dx = np.zeros(x.shape)
    for n in range(N):
        for c in range(C):
            for t in range(dout.shape[2]):
                window = x[n, c, t * stride : t * stride + k]
                dx[n, c, t * stride + np.argmax(window)] += dout[n, c, t]
    return dx


def maxpool2d_forward(x):
    N, C, H, W = x.shape
    return x.reshape(N, C, H // 2, 2, W // 2, 2).max(axis=(3, 5))


def maxpool2d_backward(x, dout):
    N, C, H, W = x.shape
    win = x.reshape(N, C, H // 2, 2, W // 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(-1, 4)
    dwin = np.zeros((win.shape[0], 4))
    dwin[np.arange(win.shape[0]), win.argmax(axis=1)] = dout.reshape(-1)
    return dwin.reshape(N, C, H // 2, W // 2, 2, 2).transpose(0, 1, 2, 4, 3, 5).reshape(x.shape)


def gap_forward(x):
    return x.mean(axis=(2, 3))


def gap_backward(x, dout):
    N, C, H, W = x.shape
    return np.ones((N, C, H, W)) * dout[:, :, np.newaxis, np.newaxis] / (H * W)


def upsample_forward(x, s):
    return x.repeat(s, axis=2).repeat(s, axis=3)


def upsample_backward(x, s, dout):
    N, C, H, W = x.shape
    return dout.reshape(N, C, H, s, W, s).sum(axis=(3, 5))


def pixel_shuffle_forward(x, r):
    N, C, H, W = x.shape
    c = C // (r * r)
    return x.reshape(N, c, r, r, H, W).transpose(0, 1, 4, 2, 5, 3).reshape(N, c, H * r, W * r)


def pixel_shuffle_backward(x, r, dout):
    N, C, H, W = x.shape
    c = C // (r * r)
    return dout.reshape(N, c, H, r, W, r).transpose(0, 1, 3, 5, 2, 4).reshape(N, C, H, W)


def se_forward(x, W1, b1, W2, b2):
    s = x.mean(axis=(2, 3))
    e = sigmoid(np.maximum(s @ W1 + b1, 0) @ W2 + b2)
    return x * e[:, :, None, None]


def se_backward(x, W1, b1, W2, b2, dout):
    N, C, H, W = x.shape
    s = x.mean(axis=(2, 3))
    u = s @ W1 + b1
    r = np.maximum(u, 0)
    e = sigmoid(r @ W2 + b2)
    de = (dout * x).sum(axis=(2, 3))
    dz = de * e * (1 - e)
    dW2 = r.T @ dz
    db2 = dz.sum(axis=0)
    du = (dz @ W2.T) * (u > 0)
    dW1 = s.T @ du
    db1 = du.sum(axis=0)
    ds = du @ W1.T
    dx = dout * e[:, :, None, None] + ds[:, :, None, None] / (H * W)
    return dx, dW1, db1, dW2, db2


# ---------------------------------------------------------------- activations


def softplus_forward(x):
    return np.logaddexp(0, x)


def softplus_backward(x, dout):
    return dout * sigmoid(x)


class Swish:
    def forward(self, x):
        self.x = x
        self.sig = 1 / (1 + np.exp(-x))
        self.out = x * self.sig
        return self.out

    def backward(self, dout):
        return dout * (self.out + self.sig * (1 - self.out))


def silu_forward(x):
    return Swish().forward(x)


def silu_backward(x, dout):
    f = Swish()
    f.forward(x)
    return f.backward(dout)


def gelu_tanh_forward(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu_tanh_backward(x, dout):
    k = np.sqrt(2 / np.pi)
    t = np.tanh(k * (x + 0.044715 * x**3))
    dinner = k * (1 + 3 * 0.044715 * x**2)
    return dout * (0.5 * (1 + t) + 0.5 * x * (1 - t**2) * dinner)


def gelu_erf_forward(x):
    return x * 0.5 * (1.0 + erf(x / np.sqrt(2.0)))


def gelu_erf_backward(x, dout):
    cdf = 0.5 * (1.0 + erf(x / np.sqrt(2.0)))
    pdf = np.exp(-0.5 * x**2) / np.sqrt(2 * np.pi)
    return dout * (cdf + x * pdf)


def elu_forward(x, alpha):
    return np.where(x > 0, x, alpha * (np.exp(np.minimum(x, 0)) - 1))


def elu_backward(x, alpha, dout):
    return dout * np.where(x > 0, 1.0, alpha * np.exp(np.minimum(x, 0)))


def prelu_forward(x, a):
    return np.where(x > 0, x, a[None, :, None] * x)


def prelu_backward(x, a, dout):
    neg = x <= 0
    dx = np.where(neg, a[None, :, None], 1.0) * dout
    da = np.sum(dout * x * neg, axis=(0, 2))
    return dx, da


def hardtanh_forward(x, lo, hi):
    return np.clip(x, lo, hi)


def hardtanh_backward(x, lo, hi, dout):
    return dout * ((x > lo) & (x < hi))


def glu_forward(x):
    a, b = np.split(x, 2, axis=-1)
    return a * sigmoid(b)


def glu_backward(x, dout):
    a, b = np.split(x, 2, axis=-1)
    s = sigmoid(b)
    return np.concatenate([dout * s, dout * a * s * (1 - s)], axis=-1)


def softmax_forward(x):
    return softmax(x, axis=1)


def softmax_backward(x, dout):
    s = softmax(x, axis=1)
    dx = np.zeros(x.shape)
    for n in range(x.shape[0]):
        J = np.diag(s[n]) - np.outer(s[n], s[n])
        dx[n] = J.dot(dout[n])
    return dx


def log_softmax_forward(x):
    shifted = x - np.max(x, axis=1, keepdims=True)
    return shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))


def log_softmax_backward(x, dout):
    p = np.exp(log_softmax_forward(x))
    return dout - p * dout.sum(axis=1, keepdims=True)


# ---------------------------------------------------------------- reductions, products


def logsumexp_forward(x):
    m = x.max(axis=-1)
    return m + np.log(np.exp(x - m[..., None]).sum(axis=-1))


def logsumexp_backward(x, g):
    w = np.exp(x - x.max(axis=-1, keepdims=True))
    w = w / w.sum(axis=-1, keepdims=True)
    return w * g[..., None]


def mean_var_forward(x):
    return x.mean(axis=0), x.var(axis=0)


def mean_var_backward(x, dmean, dvar):
    n = x.shape[0]
    return np.zeros(x.shape) + dmean / n + 2.0 / n * (x - x.mean(axis=0)) * dvar


def outer_forward(u, v):
    return u[:, :, None] * v[:, None, :]


def outer_backward(u, v, dout):
    du = (dout * v[:, None, :]).sum(axis=2)
    dv = (dout * u[:, :, None]).sum(axis=1)
    return du, dv


def bmm_forward(A, B):
    # B is shared by the heads (broadcast over the second axis)
    return A @ B[:, None]


def bmm_backward(A, B, dC):
    dA = dC @ B[:, None].swapaxes(-1, -2)
    dB = (A.swapaxes(-1, -2) @ dC).sum(axis=1)
    return dA, dB


def scale_shift_forward(x, g, b):
    return x * g[:, None, :] + b


def scale_shift_backward(x, g, b, dout):
    dx = dout * g[:, None, :]
    dg = np.sum(dout * x, axis=1)
    db = np.sum(dout, axis=0)
    return dx, dg, db


def cosine_forward(x, y):
    nx = np.linalg.norm(x, axis=1)
    ny = np.linalg.norm(y, axis=1)
    return np.sum(x * y, axis=1) / (nx * ny)


def cosine_backward(x, y, dout):
    nx = np.linalg.norm(x, axis=1, keepdims=True)
    ny = np.linalg.norm(y, axis=1, keepdims=True)
    cos = np.sum(x * y, axis=1, keepdims=True) / (nx * ny)
    g = dout[:, None]
    dx = g * (y / (nx * ny) - cos * x / nx**2)
    dy = g * (x / (nx * ny) - cos * y / ny**2)
    return dx, dy


# ---------------------------------------------------------------- losses


def svm_loss_forward(x, y):
    N = x.shape[0]
    correct = x[np.arange(N), y]
    margins = np.maximum(0, x - correct[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    return np.sum(margins) / N


def svm_loss_backward(x, y, dout):
    N = x.shape[0]
    correct = x[np.arange(N), y]
    margins = np.maximum(0, x - correct[:, np.newaxis] + 1.0)
    margins[np.arange(N), y] = 0
    num_pos = np.sum(margins > 0, axis=1)
    dx = np.zeros(x.shape)
    dx[margins > 0] = 1
    dx[np.arange(N), y] -= num_pos
    dx /= N
    return dx * dout


def binary_hinge_forward(w, b, X, y):
    return np.mean(np.maximum(0, 1 - y * (X @ w + b)))


def binary_hinge_backward(w, b, X, y, dout):
    n = len(y)
    active = (1 - y * (X @ w + b)) > 0
    ds = np.where(active, -y, 0.0) * dout / n
    dw = X.T @ ds
    db = np.array([ds.sum()])
    dX = np.outer(ds, w)
    return dw, db, dX


def cross_entropy_forward(logits, labels):
    logp = log_softmax_forward(logits)
    return -np.mean(logp[np.arange(logits.shape[0]), labels])


def cross_entropy_backward(logits, labels, dout):
    n = logits.shape[0]
    dlogits = softmax(logits, axis=1)
    dlogits[np.arange(n), labels] -= 1
    dlogits /= n
    return dout * dlogits


def kl_forward(p, q):
    return np.sum(p * (np.log(p) - np.log(q))) / p.shape[0]


def kl_backward(p, q, dout):
    n = p.shape[0]
    dp = (np.log(p) - np.log(q) + 1) / n * dout
    dq = -p / q / n * dout
    return dp, dq


def huber_forward(pred, target, delta):
    r = pred - target
    small = np.abs(r) <= delta
    return np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)).mean()


def huber_backward(pred, target, delta, dout):
    r = pred - target
    dr = np.where(np.abs(r) <= delta, r, delta * np.sign(r)) * dout / r.size
    return dr, -dr


def l1_forward(pred, target):
    return np.abs(pred - target).mean(axis=1)


def l1_backward(pred, target, dout):
    d = np.sign(pred - target) * dout[:, None] / pred.shape[1]
    return d, -d


def bce_logits_forward(x, t):
    return np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))


def bce_logits_backward(x, t, dout):
    return dout * (sigmoid(x) - t)


def focal_forward(x, t, gamma):
    z = np.where(t == 1, x, -x)
    logpt = -np.logaddexp(0, -z)
    return -np.sum(sigmoid(-z) ** gamma * logpt)


def focal_backward(x, t, gamma, dout):
    s = np.where(t == 1, 1.0, -1.0)
    z = s * x
    pt = sigmoid(z)
    logpt = -np.logaddexp(0, -z)
    dz = sigmoid(-z) ** gamma * (gamma * pt * logpt - sigmoid(-z))
    return dout * s * dz


def triplet_forward(a, p, n, margin, eps):
    dp = np.sqrt(np.sum((a - p) ** 2, axis=1) + eps)
    dn = np.sqrt(np.sum((a - n) ** 2, axis=1) + eps)
    return np.maximum(dp - dn + margin, 0).mean()


def triplet_backward(a, p, n, margin, eps, dout):
    dp = np.sqrt(np.sum((a - p) ** 2, axis=1, keepdims=True) + eps)
    dn = np.sqrt(np.sum((a - n) ** 2, axis=1, keepdims=True) + eps)
    on = (dp - dn + margin > 0) * dout / a.shape[0]
    gp = on * (a - p) / dp
    gn = on * (a - n) / dn
    return gp - gn, -gp, gn


LAYERS = {
    "affine": Layer(affine_forward, affine_backward, x=("N", "A", 3), w=("3A", "M"), b=("M",)),
    "flatten": Layer(flatten_forward, flatten_backward, x=("N", "C", "H", 2)),
    "relu": Layer(relu_forward, relu_backward, x=("N", "D")),
    "residual": Layer(
        residual_forward, residual_backward, x=("N", "D"), W1=("D", "H"), b1=("H",), W2=("H", "D"), b2=("D",)
    ),
    "highway": Layer(
        highway_forward, highway_backward, x=("N", "D"), WH=("D", "D"), bH=("D",), WT=("D", "D"), bT=("D",)
    ),
    "maxout": Layer(maxout_forward, maxout_backward, x=("N", "D"), W=("D", "M", 3), b=("M", 3)),
    "bilinear": Layer(bilinear_forward, bilinear_backward, x1=("N", "A"), x2=("N", "B"), W=("O", "A", "B"), b=("O",)),
    "batchnorm": Layer(
        batchnorm_forward, batchnorm_backward, x=("N", "D"), gamma=("D",), beta=("D",), eps=[1e-5, 1e-3]
    ),
    "batchnorm_alt": Layer(
        batchnorm_alt_forward, batchnorm_alt_backward, x=("N", "D"), gamma=("D",), beta=("D",), eps=[1e-5]
    ),
    "spatial_batchnorm": Layer(
        spatial_batchnorm_forward,
        spatial_batchnorm_backward,
        x=("N", "C", "H", "W"),
        gamma=("C",),
        beta=("C",),
        eps=[1e-5],
    ),
    "layernorm": Layer(layernorm_forward, layernorm_backward, x=("N", "T", "D"), gamma=("D",), beta=("D",), eps=[1e-5]),
    "groupnorm": Layer(
        groupnorm_forward,
        groupnorm_backward,
        x=("N", "2C", "H", "W"),
        gamma=("2C",),
        beta=("2C",),
        G=[2, 1],
        eps=[1e-5],
    ),
    "instancenorm": Layer(
        instancenorm_forward, instancenorm_backward, x=("N", "C", "H", "W"), gamma=("C",), beta=("C",), eps=[1e-3]
    ),
    "rmsnorm": Layer(rmsnorm_forward, rmsnorm_backward, x=("N", "D"), g=("D",), eps=[1e-5]),
    "l2_normalize": Layer(l2_normalize_forward, l2_normalize_backward, x=("N", "D"), eps=[1e-4]),
    "dropout": Layer(
        dropout_forward,
        dropout_backward,
        x=("N", "D"),
        mask=lambda N, D: [(np.arange(N * D).reshape(N, D) % 3 > 0) * 1.0, np.ones((N, D))],
    ),
    "inverted_dropout": Layer(
        inverted_dropout_forward,
        inverted_dropout_backward,
        x=("N", "D"),
        mask=lambda N, D: [np.arange(1, N * D + 1).reshape(N, D) % 3 > 0, np.ones((N, D), dtype=bool)],
        p=[0.3, 0.5],
    ),
    "embedding": Layer(
        embedding_forward,
        embedding_backward,
        W=("V", "D"),
        idx=lambda V: [np.arange(6).reshape(2, 3) * 2 % V, np.zeros((2, 2), dtype=int), np.array([[0, V - 1, -1]])],
    ),
    "embedding_pad": Layer(
        embedding_pad_forward,
        embedding_pad_backward,
        W=("V", "D"),
        idx=lambda V: [np.arange(8).reshape(2, 4) % V, np.zeros((1, 3), dtype=int)],
        padding_idx=[0, 1],
    ),
    "rnn_step": Layer(
        rnn_step_forward, rnn_step_backward, x=("N", "D"), prev_h=("N", "H"), Wx=("D", "H"), Wh=("H", "H"), b=("H",)
    ),
    "rnn": Layer(rnn_forward, rnn_backward, x=("N", "T", "D"), h0=("N", "H"), Wx=("D", "H"), Wh=("H", "H"), b=("H",)),
    "lstm_cell": Layer(
        lstm_cell_forward,
        lstm_cell_backward,
        x=("N", "D"),
        h=("N", "H"),
        c=("N", "H"),
        Wx=("D", "4H"),
        Wh=("H", "4H"),
        b=("4H",),
    ),
    "lstm": Layer(
        lstm_forward, lstm_backward, x=("N", "T", "D"), h0=("N", "H"), Wx=("D", "4H"), Wh=("H", "4H"), b=("4H",)
    ),
    "gru_cell": Layer(
        gru_forward, gru_backward, x=("N", "D"), h=("N", "H"), W=("D", "3H"), U=("H", "3H"), bi=("3H",), bh=("3H",)
    ),
    "attention": Layer(attention_forward, attention_backward, q=("N", "T", "D"), k=("N", "S", "D"), v=("N", "S", "E")),
    "causal_attention": Layer(
        causal_attention_forward, causal_attention_backward, Q=("T", "D"), K=("T", "D"), V=("T", "E")
    ),
    "multi_head_attention": Layer(
        mha_forward,
        mha_backward,
        x=("N", "T", "2D"),
        Wq=("2D", "2D"),
        Wk=("2D", "2D"),
        Wv=("2D", "2D"),
        Wo=("2D", "2D"),
        heads=[2, 1],
    ),
    "conv1d": Layer(conv1d_forward, conv1d_backward, x=("N", "C", "L"), w=("F", "C", 3), b=("F",)),
    "conv2d": Layer(conv2d_forward, conv2d_backward, x=("N", "C", "H", "W"), w=("F", "C", 3, 3), b=("F",)),
    "depthwise_conv": Layer(depthwise_conv_forward, depthwise_conv_backward, x=("N", "C", "H", "W"), w=("C", 2, 3)),
    "conv_transpose": Layer(
        conv_transpose_forward,
        conv_transpose_backward,
        x=("N", "C", "H", "W"),
        w=("C", "F", 3, 2),
        b=("F",),
        stride=[1, 2],
    ),
    "maxpool1d": Layer(maxpool1d_forward, maxpool1d_backward, x=("N", "C", "L"), k=[2, 3], stride=[1, 2]),
    "maxpool2d": Layer(maxpool2d_forward, maxpool2d_backward, x=("N", "C", "2H", "2W")),
    "global_avg_pool": Layer(gap_forward, gap_backward, x=("N", "C", "H", "W")),
    "upsample_nearest": Layer(upsample_forward, upsample_backward, x=("N", "C", "H", "W"), s=[2, 3]),
    "pixel_shuffle": Layer(pixel_shuffle_forward, pixel_shuffle_backward, x=("N", "4C", "H", "W"), r=[2]),
    "squeeze_excite": Layer(
        se_forward, se_backward, x=("N", "C", "H", "W"), W1=("C", "R"), b1=("R",), W2=("R", "C"), b2=("C",)
    ),
    "softplus": Layer(softplus_forward, softplus_backward, x=("N", "D")),
    "silu": Layer(silu_forward, silu_backward, x=("N", "D")),
    "gelu_tanh": Layer(gelu_tanh_forward, gelu_tanh_backward, x=("N", "D")),
    "gelu_erf": Layer(gelu_erf_forward, gelu_erf_backward, x=("N", "D")),
    "elu": Layer(elu_forward, elu_backward, x=("N", "D"), alpha=[1.0, 0.7]),
    "prelu": Layer(prelu_forward, prelu_backward, x=("N", "C", "L"), a=("C",)),
    "hardtanh": Layer(hardtanh_forward, hardtanh_backward, x=("N", "D"), lo=[-1.0, -6.0], hi=[1.0, 6.0]),
    "glu": Layer(glu_forward, glu_backward, x=("N", "2D")),
    "softmax": Layer(softmax_forward, softmax_backward, x=("N", "C")),
    "log_softmax": Layer(log_softmax_forward, log_softmax_backward, x=("N", "C")),
    "logsumexp": Layer(logsumexp_forward, logsumexp_backward, x=("N", "T", "C")),
    "mean_var": Layer(mean_var_forward, mean_var_backward, x=("N", "D")),
    "outer": Layer(outer_forward, outer_backward, u=("N", "A"), v=("N", "B")),
    "bmm": Layer(bmm_forward, bmm_backward, A=("N", "H", "T", "D"), B=("N", "D", "E")),
    "scale_shift": Layer(scale_shift_forward, scale_shift_backward, x=("N", "T", "D"), g=("N", "D"), b=("T", "D")),
    "cosine": Layer(
        cosine_forward, cosine_backward, x=between(("N", "D"), 0.25, 4.0), y=between(("N", "D"), -3.0, -0.5)
    ),
    "svm_loss": Layer(
        svm_loss_forward, svm_loss_backward, x=("N", "C"), y=lambda N, C: [np.arange(N) % C, np.zeros(N, dtype=int)]
    ),
    "binary_hinge": Layer(
        binary_hinge_forward,
        binary_hinge_backward,
        w=("D",),
        b=(1,),
        X=("N", "D"),
        y=lambda N: [np.where(np.arange(N) % 2 == 0, 1.0, -1.0), -np.ones(N)],
    ),
    "cross_entropy": Layer(
        cross_entropy_forward,
        cross_entropy_backward,
        logits=("N", "C"),
        labels=lambda N, C: [np.arange(N) % C, np.zeros(N, dtype=int)],
    ),
    "kl_divergence": Layer(kl_forward, kl_backward, p=between(("N", "C"), 0.05, 1.0), q=between(("N", "C"), 0.05, 1.0)),
    "huber": Layer(huber_forward, huber_backward, pred=("N", "D"), target=("N", "D"), delta=[1.0, 2.5]),
    "l1_loss": Layer(l1_forward, l1_backward, pred=("N", "D"), target=("N", "D")),
    "bce_logits": Layer(
        bce_logits_forward,
        bce_logits_backward,
        x=("N", "D"),
        t=lambda N, D: [(np.arange(N * D).reshape(N, D) % 2) * 1.0, np.full((N, D), 0.3)],
    ),
    "focal_loss": Layer(
        focal_forward, focal_backward, x=("N",), t=lambda N: [np.arange(N) % 2, np.ones(N, dtype=int)], gamma=[2.0, 0.5]
    ),
    "triplet": Layer(
        triplet_forward, triplet_backward, a=("N", "D"), p=("N", "D"), n=("N", "D"), margin=[1.0, 40.0], eps=[1e-4]
    ),
}
