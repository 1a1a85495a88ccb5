"""Losses that Keras does not have, or not quite like this. Plain functions of tensors."""
import tensorflow as tf

EPSILON = 1e-7


def focal_loss(labels, logits, gamma=2.0, alpha=0.25):
    """Cross-entropy for rare objects (Lin et al., 2017): easy examples count little."""
    labels = tf.cast(labels, logits.dtype)
    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    p = tf.sigmoid(logits)
    # probability given to what is true
    p_true = labels * p + (1 - labels) * (1 - p)
    balance = labels * alpha + (1 - labels) * (1 - alpha)
    return tf.reduce_mean(balance * tf.pow(1 - p_true, gamma) * cross_entropy)


def dice_loss(masks, logits, smooth=1.0):
    """One minus the overlap of two masks, averaged over images and classes."""
    masks = tf.cast(masks, logits.dtype)
    p = tf.nn.softmax(logits, axis=-1)
    overlap = tf.reduce_sum(masks * p, axis=[1, 2])
    total = tf.reduce_sum(masks, axis=[1, 2]) + tf.reduce_sum(p, axis=[1, 2])
    return 1.0 - tf.reduce_mean((2.0 * overlap + smooth) / (total + smooth))


def huber_loss(y_true, y_pred, delta=1.0):
    """Quadratic near zero, linear beyond `delta`."""
    error = tf.abs(y_true - y_pred)
    quadratic = tf.minimum(error, delta)
    linear = error - quadratic
    return tf.reduce_mean(0.5 * quadratic ** 2 + delta * linear)


def smooth_cross_entropy(labels, logits, smoothing=0.1):
    """Cross-entropy with integer labels, a little of each given to all other classes."""
    num_classes = logits.shape[-1]
    targets = tf.one_hot(
        labels, num_classes,
        on_value=1.0 - smoothing,
        off_value=smoothing / (num_classes - 1),
        dtype=logits.dtype,
    )
    return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(targets, logits))


def pairwise_distances(x):
    """Euclidean distance of every row to every row."""
    square = tf.reduce_sum(tf.square(x), axis=1, keepdims=True)
    squared = square - 2.0 * tf.matmul(x, x, transpose_b=True) + tf.transpose(square)
    # rounding can push a zero below zero
    return tf.sqrt(tf.maximum(squared, EPSILON))


def triplet_loss(embeddings, labels, margin=0.5):
    """Batch-hard triplets (Hermans et al., 2017): the farthest friend, the nearest stranger."""
    distances = pairwise_distances(embeddings)
    same = tf.equal(labels[:, tf.newaxis], labels[tf.newaxis, :])

    friend = tf.reduce_max(tf.where(same, distances, 0.0), axis=1)
    # friends are moved out of the way
    stranger = tf.reduce_min(tf.where(same, distances + 1e3, distances), axis=1)
    return tf.reduce_mean(tf.nn.relu(friend - stranger + margin))


def info_nce(queries, keys, temperature=0.07):
    """Contrastive loss (van den Oord et al., 2018): row i of `keys` belongs to query i."""
    queries = tf.math.l2_normalize(queries, axis=-1)
    keys = tf.math.l2_normalize(keys, axis=-1)
    logits = tf.matmul(queries, keys, transpose_b=True) / temperature
    positives = tf.range(tf.shape(queries)[0])
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=positives, logits=logits))


def total_variation(images):
    """Sum of the differences of neighbouring pixels, per image; large for noise."""
    vertical = images[:, 1:, :, :] - images[:, :-1, :, :]
    horizontal = images[:, :, 1:, :] - images[:, :, :-1, :]
    return tf.reduce_sum(tf.abs(vertical), axis=[1, 2, 3]) + tf.reduce_sum(tf.abs(horizontal), axis=[1, 2, 3])
