"""Image files in and out: read, paired with masks, normalised, predicted window by window, drawn and counted."""
