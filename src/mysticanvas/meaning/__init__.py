"""What a text means: word pieces, a small static model, a larger one, and search among vectors."""
