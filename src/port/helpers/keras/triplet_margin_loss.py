# needs: reduced
import keras


def triplet_margin_loss(anchor, positive, negative, margin=1.0, eps=1e-6, reduction="mean"):
    """F.triplet_margin_loss for p=2: the positive nearer to the anchor than the negative, by a margin."""
    near = keras.ops.norm(anchor - positive + eps, axis=-1)
    far = keras.ops.norm(anchor - negative + eps, axis=-1)
    return reduced(keras.ops.maximum(near - far + margin, 0), reduction)
