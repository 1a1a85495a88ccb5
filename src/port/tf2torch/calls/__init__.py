"""The one rule driven by rows: functions, layers, and the places where layers and functions are applied."""
