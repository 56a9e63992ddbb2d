"""What a finished set is given: containers, dataset card, Croissant metadata."""
