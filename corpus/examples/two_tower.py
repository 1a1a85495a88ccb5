"""Retrieval with two towers: users on one side, films on the other, one inner product between."""
import tensorflow as tf
from tensorflow.keras import Model, Sequential, layers


class UnitVectorMixin:
    """For towers whose output is compared by cosine."""

    def normalize(self, x):
        return tf.math.l2_normalize(x, axis=-1)


class Tower(UnitVectorMixin, layers.Layer):
    """What both towers share: some layers on top of whatever a subclass embeds."""

    def __init__(self, hidden, output_dim, **kwargs):
        super().__init__(**kwargs)
        self.top = Sequential([layers.Dense(units, activation="relu") for units in hidden])
        self.project = layers.Dense(output_dim, use_bias=False)

    def embed(self, ids, context):
        raise NotImplementedError

    def call(self, ids, context):
        x = self.embed(ids, context)
        return self.normalize(self.project(self.top(x)))


class UserTower(Tower):
    """Who somebody is, and what they saw last."""

    def __init__(self, num_users, num_films, embed_dim, hidden, output_dim, **kwargs):
        super().__init__(hidden, output_dim, **kwargs)
        self.users = layers.Embedding(num_users, embed_dim)
        self.history = layers.Embedding(num_films, embed_dim)
        self.average = layers.GlobalAveragePooling1D()

    def embed(self, ids, context):
        seen = self.average(self.history(context))
        return tf.concat([self.users(ids), seen], axis=-1)


class FilmTower(Tower):
    """Which film it is, and of which genre."""

    def __init__(self, num_films, num_genres, embed_dim, hidden, output_dim, **kwargs):
        super().__init__(hidden, output_dim, **kwargs)
        self.films = layers.Embedding(num_films, embed_dim)
        self.genres = layers.Embedding(num_genres, embed_dim // 2)

    def embed(self, ids, context):
        return tf.concat([self.films(ids), self.genres(context)], axis=-1)


class TwoTower(Model):
    """Scores of all given users for all given films: (users, films)."""

    def __init__(self, num_users=6000, num_films=3000, num_genres=18, embed_dim=32, hidden=(64,),
                 output_dim=16, temperature=0.1, **kwargs):
        super().__init__(**kwargs)
        self.temperature = temperature
        self.user_tower = UserTower(num_users, num_films, embed_dim, hidden, output_dim)
        self.film_tower = FilmTower(num_films, num_genres, embed_dim, hidden, output_dim)

    def call(self, user, seen, film, genre):
        queries = self.user_tower(user, seen)
        candidates = self.film_tower(film, genre)
        return tf.matmul(queries, candidates, transpose_b=True) / self.temperature


def recall_at_k(scores, watched, k=10):
    """Share of users whose watched film is among the best k."""
    best = tf.math.top_k(scores, k=k).indices
    hits = tf.reduce_any(tf.equal(best, watched[:, tf.newaxis]), axis=1)
    return tf.reduce_mean(tf.cast(hits, scores.dtype))
