"""What is handed over with a model: its card, its parts, and a signature over them."""
