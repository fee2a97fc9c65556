"""What a champion is packed into: a bento, an image, a Lambda archive."""
