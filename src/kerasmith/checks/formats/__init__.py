"""Reports as text, JSON, SARIF and JUnit: in each file `render(reports) -> str`. Imports no Keras."""
