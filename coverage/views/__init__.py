"""The matrix as a picture and as tables; the player of a cell's samples."""
