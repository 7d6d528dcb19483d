"""Pictures of what was measured, one module for each kind of table."""
