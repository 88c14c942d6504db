"""What a check is and how it is asked: subjects, inputs, the registry, workers, the report."""
