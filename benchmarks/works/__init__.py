"""The works: one module per thing that is measured."""
