"""The sections of a scenario: from the fields that were read to the values of the model."""
