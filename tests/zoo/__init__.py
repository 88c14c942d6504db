"""Components of four kinds, broken and right, with what must be said of each: what the bench is measured on."""
