"""The attack and honest corpora, and what runs them."""
