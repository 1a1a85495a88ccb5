# needs: default_init, MultiheadAttention
import keras
from keras import layers


class TransformerDecoderLayer(layers.Layer):
    """nn.TransformerDecoderLayer."""

    def __init__(self, d_model, nhead, dim_feedforward=2048, dropout=0.1, activation="relu", layer_norm_eps=1e-5,
                 batch_first=False, norm_first=False, bias=True):
        super().__init__()
        self.settings = dict(d_model=d_model, nhead=nhead, dim_feedforward=dim_feedforward, dropout=dropout,
                             activation=activation, layer_norm_eps=layer_norm_eps, batch_first=batch_first,
                             norm_first=norm_first, bias=bias)
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first)
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first)
        self.linear1 = layers.Dense(dim_feedforward, use_bias=bias, **default_init(d_model))
        self.dropout = layers.Dropout(dropout)
        self.linear2 = layers.Dense(d_model, use_bias=bias, **default_init(dim_feedforward))
        self.norm_first = norm_first
        self.norm1 = layers.LayerNormalization(epsilon=layer_norm_eps, center=bias)
        self.norm2 = layers.LayerNormalization(epsilon=layer_norm_eps, center=bias)
        self.norm3 = layers.LayerNormalization(epsilon=layer_norm_eps, center=bias)
        self.dropout1 = layers.Dropout(dropout)
        self.dropout2 = layers.Dropout(dropout)
        self.dropout3 = layers.Dropout(dropout)
        self.activation = keras.activations.get(activation)

    def call(self, tgt, memory, tgt_mask=None, memory_mask=None, tgt_key_padding_mask=None,
             memory_key_padding_mask=None, tgt_is_causal=False, memory_is_causal=False):
        own = (tgt_mask, tgt_key_padding_mask)
        other = (memory_mask, memory_key_padding_mask)
        x = tgt
        if self.norm_first:
            y = self.norm1(x)
            x = x + self.dropout1(self.attend(self.self_attn, y, y, *own))
            x = x + self.dropout2(self.attend(self.multihead_attn, self.norm2(x), memory, *other))
            return x + self.feed_forward(self.norm3(x))
        x = self.norm1(x + self.dropout1(self.attend(self.self_attn, x, x, *own)))
        x = self.norm2(x + self.dropout2(self.attend(self.multihead_attn, x, memory, *other)))
        return self.norm3(x + self.feed_forward(x))

    def attend(self, attention, x, memory, attn_mask, key_padding_mask):
        return attention(x, memory, memory, attn_mask=attn_mask, key_padding_mask=key_padding_mask,
                         need_weights=False)[0]

    def feed_forward(self, x):
        return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))
