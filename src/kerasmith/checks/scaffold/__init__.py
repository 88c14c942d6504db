"""What `kerasmith new` writes: a component that passes `kerasmith check`, and its test. Imports no Keras."""

from kerasmith.checks.scaffold.write import KINDS, class_name, write
