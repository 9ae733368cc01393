"""The scenario format as tables: fields, their kinds, their help."""
