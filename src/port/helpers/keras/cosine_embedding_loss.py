# needs: l2_normalize, reduced
import keras


def cosine_embedding_loss(a, b, target, margin=0.0, reduction="mean"):
    """F.cosine_embedding_loss: near where the target is 1, apart where it is -1."""
    cosine = keras.ops.sum(l2_normalize(a, -1, 1e-6) * l2_normalize(b, -1, 1e-6), axis=-1)
    apart = keras.ops.where(target == -1, keras.ops.maximum(cosine - margin, 0), 0)
    return reduced(keras.ops.where(target == 1, 1 - cosine, apart), reduction)
