# needs: default_init
import keras
from keras import initializers, layers


class MultiheadAttention(layers.Layer):
    """nn.MultiheadAttention: (output, weights). Masks are True, or added as numbers, where attention is blocked."""

    def __init__(self, embed_dim, num_heads, dropout=0.0, bias=True, kdim=None, vdim=None, batch_first=False):
        super().__init__()
        self.embed_dim, self.num_heads, self.batch_first = embed_dim, num_heads, batch_first
        self.whole = kdim in (None, embed_dim) and vdim in (None, embed_dim)
        if self.whole:
            self.in_proj_weight = self.projection("in_proj_weight", 3 * embed_dim, embed_dim)
        else:
            self.q_proj_weight = self.projection("q_proj_weight", embed_dim, embed_dim)
            self.k_proj_weight = self.projection("k_proj_weight", embed_dim, kdim or embed_dim)
            self.v_proj_weight = self.projection("v_proj_weight", embed_dim, vdim or embed_dim)
        self.in_proj_bias = None
        if bias:
            self.in_proj_bias = self.add_weight(shape=(3 * embed_dim,), initializer="zeros", name="in_proj_bias")
        init = {**default_init(embed_dim), "bias_initializer": "zeros"}
        self.out_proj = layers.Dense(embed_dim, use_bias=bias, **init)
        self.dropout = layers.Dropout(dropout)

    def projection(self, name, rows, columns):
        """A matrix as torch keeps it: (out, in)."""
        return self.add_weight(shape=(rows, columns), initializer=initializers.GlorotUniform(), name=name)

    def call(self, query, key, value, key_padding_mask=None, need_weights=True, attn_mask=None,
             average_attn_weights=True, is_causal=False):
        ops = keras.ops
        weights = (ops.split(self.in_proj_weight, 3) if self.whole
                   else (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight))
        biases = ops.split(self.in_proj_bias, 3) if self.in_proj_bias is not None else (0.0, 0.0, 0.0)
        heads = []
        for x, weight, bias in zip((query, key, value), weights, biases):
            x = x if self.batch_first else ops.swapaxes(x, 0, 1)
            x = ops.matmul(x, ops.transpose(weight)) + bias
            n, length, _ = ops.shape(x)
            x = ops.reshape(x, (n, length, self.num_heads, self.embed_dim // self.num_heads))
            heads.append(ops.transpose(x, (0, 2, 1, 3)))
        q, k, v = heads
        scores = ops.matmul(q, ops.transpose(k, (0, 1, 3, 2))) / (self.embed_dim // self.num_heads) ** 0.5
        if attn_mask is not None:
            if len(attn_mask.shape) == 3:  # one per head
                attn_mask = ops.reshape(attn_mask, (-1, self.num_heads, *ops.shape(attn_mask)[1:]))
            scores = self.masked(scores, attn_mask)
        if key_padding_mask is not None:
            scores = self.masked(scores, key_padding_mask[:, None, None, :])
        attention = self.dropout(ops.softmax(scores, axis=-1))
        y = ops.transpose(ops.matmul(attention, v), (0, 2, 1, 3))
        n, length = ops.shape(y)[:2]
        y = self.out_proj(ops.reshape(y, (n, length, self.embed_dim)))
        y = y if self.batch_first else ops.swapaxes(y, 0, 1)
        if not need_weights:
            return y, None
        return y, ops.mean(attention, axis=1) if average_attn_weights else attention

    def masked(self, scores, mask):
        if keras.backend.standardize_dtype(mask.dtype) == "bool":
            return keras.ops.where(mask, keras.ops.cast(float("-inf"), scores.dtype), scores)
        return scores + keras.ops.cast(mask, scores.dtype)
