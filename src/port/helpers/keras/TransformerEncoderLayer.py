# needs: default_init, MultiheadAttention
import keras
from keras import layers


class TransformerEncoderLayer(layers.Layer):
    """nn.TransformerEncoderLayer."""

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, bias=True):
        super().__init__()
        self.settings = dict(d_model=d_model, nhead=nhead, dim_feedforward=dim_feedforward, dropout=dropout,
                             activation=activation, layer_norm_eps=layer_norm_eps, batch_first=batch_first,
                             norm_first=norm_first, bias=bias)
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first)
        self.linear1 = layers.Dense(dim_feedforward, use_bias=bias, **default_init(d_model))
        self.dropout = layers.Dropout(dropout)
        self.linear2 = layers.Dense(d_model, use_bias=bias, **default_init(dim_feedforward))
        self.norm_first = norm_first
        self.norm1 = layers.LayerNormalization(epsilon=layer_norm_eps, center=bias)
        self.norm2 = layers.LayerNormalization(epsilon=layer_norm_eps, center=bias)
        self.dropout1 = layers.Dropout(dropout)
        self.dropout2 = layers.Dropout(dropout)
        self.activation = keras.activations.get(activation)

    def call(self, src, src_mask=None, src_key_padding_mask=None, is_causal=False):
        x = src
        if self.norm_first:
            x = x + self.attend(self.norm1(x), src_mask, src_key_padding_mask)
            return x + self.feed_forward(self.norm2(x))
        x = self.norm1(x + self.attend(x, src_mask, src_key_padding_mask))
        return self.norm2(x + self.feed_forward(x))

    def attend(self, x, attn_mask, key_padding_mask):
        y, _ = self.self_attn(x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False)
        return self.dropout1(y)

    def feed_forward(self, x):
        return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))
