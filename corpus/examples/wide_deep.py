"""Wide & Deep (Cheng et al., 2016): memorise the pairs, generalise the rest.

Census data: will a person earn above the threshold, and how many hours do they work?
"""
import tensorflow as tf
from tensorflow.keras import layers

NUM_NUMERIC = 5
OCCUPATIONS = 15
EDUCATIONS = 16
EMBED_DIM = 6

# ---- inputs ----
numeric = tf.keras.Input(shape=(NUM_NUMERIC,), name='numeric')
occupation = tf.keras.Input(shape=(1,), dtype='int32', name='occupation')
education = tf.keras.Input(shape=(1,), dtype='int32', name='education')
pair = tf.keras.Input(shape=(1,), dtype='int32', name='pair')  # occupation x education

# ---- wide: one weight for each pair, a table of scalars ----
wide = layers.Embedding(OCCUPATIONS * EDUCATIONS, 1, embeddings_initializer='zeros')(pair)
wide = layers.Flatten()(wide)

# ---- deep ----
job = layers.Flatten()(layers.Embedding(OCCUPATIONS, EMBED_DIM)(occupation))
school = layers.Flatten()(layers.Embedding(EDUCATIONS, EMBED_DIM)(education))
deep = layers.concatenate([layers.BatchNormalization()(numeric), job, school])
for units in [32, 16]:
    deep = layers.Dense(units, activation='relu')(deep)
    deep = layers.Dropout(0.2)(deep)

# ---- heads ----
logit = layers.add([wide, layers.Dense(1)(deep)])
income = layers.Activation('sigmoid', name='income')(logit)
hours = layers.Dense(1, activation='softplus', name='hours')(deep)

model = tf.keras.Model(
    inputs=[numeric, occupation, education, pair],
    outputs=[income, hours],
    name='wide_deep',
)

if __name__ == '__main__':
    model.summary()
