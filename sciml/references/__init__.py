"""Reference solutions of high accuracy, computed on first use and kept in memory."""
