"""The ground floor: errors, vocabulary, random streams, files, audio, the dataset on disk, workers. It knows no package above it."""
