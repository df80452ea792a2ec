"""Few terms: atoms chosen one by one, their group parameters moved by variable projection."""
