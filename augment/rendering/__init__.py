"""From a recipe to samples: mixing at the microphone, the channel, what was measured and whether the label held."""
