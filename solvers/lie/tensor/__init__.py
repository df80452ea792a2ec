"""Products of separated modes on rectangles, summed with the coefficients of the data."""
