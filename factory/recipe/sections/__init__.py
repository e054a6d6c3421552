"""The table of fields, section by section: parser, JSON Schema and reference are made from it."""
