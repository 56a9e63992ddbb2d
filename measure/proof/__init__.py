"""A machine is proved: its preset is rendered through the room that it assumes and compared with the recording, in time and frequency."""
