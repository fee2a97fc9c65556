"""How people and other systems are told: messages, events, summaries."""
