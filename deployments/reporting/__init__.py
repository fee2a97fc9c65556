"""What is shown to browsers and told to the page: reports from the store, and a problem's state."""
