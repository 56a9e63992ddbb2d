"""How a talker is heard: the directivity of the voice, and one who walks."""
