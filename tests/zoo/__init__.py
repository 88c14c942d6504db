"""Components of four kinds, broken and right, with what must be said of each: what the checker is measured on.

A docstring names where a fault comes from: a thread of a project, a measurement, or "asked for", a wish of users whose
usual answer has it. The modules `strangers_*` were written and asked before the rules that concern them; `mended_*` holds
their broken parts after the fix of the finding was applied as it is written; `mutants` changes right parts in one place each.
"""
